import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { installPackages } from "../../../server/trainer/install-packages.js";
import type { MachineFacts } from "../../../server/trainer/torch-build.js";
import { openPackageIndex, type PackageIndex } from "../../fixtures/package-index.js";

// Programs start slowly on a machine that is busy with something else.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const NOBODY = "http://127.0.0.1:9/whl/cu121";
const cpu = { platform: "linux", arch: "x64", nvidia: null, rocm: null } as const;
const nvidia = { ...cpu, nvidia: { cuda: 12.8, capabilities: [8.6] } } as const;

let folder: string;
let python: string;
let requirements: string;
let index: PackageIndex;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "train-lora тест & 100% "));
  requirements = join(folder, "requirements.txt");
  await writeFile(requirements, "torch==2.13.0\nsmall==1.0\n");
  execFileSync("python3", ["-m", "venv", join(folder, "venv")]);
  python = join(folder, "venv", "bin", "python");
  index = await openPackageIndex({
    simple: ["torch==2.13.0", "small==1.0"],
    whl: ["torch==2.12.0+cu128", "torch==2.13.0+cu126", "torch==2.13.0+cu130", "torch==2.13.0+rocm7.1", "torch==2.13.0+cpu"],
    "whl/cu126": ["torch==2.13.0+cu126"],
    "whl/cpu": ["torch==2.13.0+cpu"],
    "folders/cu126": ["torch==2.13.0+cu126"],
    "old/cu121": ["torch==2.5.0+cu121"],
  });
});
afterAll(async () => {
  index.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  vi.stubEnv("PIP_CONFIG_FILE", "/dev/null");
  vi.stubEnv("PIP_FIND_LINKS", undefined);
  vi.stubEnv("PIP_INDEX_URL", `${index.address}/simple`);
  vi.stubEnv("PIP_NO_CACHE_DIR", "1");
  for (const name of ["TRAIN_LORA_TORCH_INDEX", "TRAIN_LORA_WEBUI_TORCH_INDEX", "TORCH_INDEX_URL", "TORCH_COMMAND"])
    vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  execFileSync(python, ["-m", "pip", "uninstall", "-y", "-q", "torch", "small"], { stdio: "ignore" });
});

async function install(facts: MachineFacts) {
  const lines: string[] = [];
  const warning = await installPackages({ python, requirements, facts, onProgress: (line) => lines.push(line), signal: undefined });
  const version = execFileSync(python, ["-c", "from importlib.metadata import version; print(version('torch'), version('small'))"], {
    encoding: "utf8",
  });
  return { log: lines.join("\n"), warning, installed: version.trim() };
}

describe("the build of torch", () => {
  test("comes from the folder above the WebUI's, in the best build that it offers for this release", async () => {
    vi.stubEnv("TRAIN_LORA_WEBUI_TORCH_INDEX", `${index.address}/whl/cu121`);
    const { installed, warning, log } = await install(nvidia);
    expect([installed, warning]).toEqual(["2.13.0+cu126 1.0", null]);
    expect(log).toMatch(/NVIDIA's CUDA[\s\S]*builds that the WebUI names[\s\S]*Installing torch 2\.13\.0 \(cu126\)/);
    expect(await index.asked()).not.toContain("/simple/torch+cu126/");
  });

  test("is the small one where there is no GPU, and stays when it is there", async () => {
    vi.stubEnv("TORCH_INDEX_URL", `${index.address}/whl/cu121`);
    expect(await install(cpu)).toMatchObject({ installed: "2.13.0+cpu 1.0", warning: null });
    const before = (await index.asked()).length;
    await install(cpu);
    expect((await index.asked()).slice(before)).toEqual([]);
  });

  test("is looked for folder by folder where the index lists no builds", async () => {
    vi.stubEnv("TRAIN_LORA_TORCH_INDEX", `${index.address}/folders/`);
    expect(await install(nvidia)).toMatchObject({ installed: "2.13.0+cu126 1.0", warning: null });
  });

  test("is the one that the user has named", async () => {
    vi.stubEnv("TRAIN_LORA_TORCH_INDEX", `${index.address}/whl/cpu`);
    const { installed, warning } = await install(nvidia);
    expect(installed).toBe("2.13.0+cpu 1.0");
    expect(warning).toMatch(/This PyTorch can't use your GPU: it is the build for the CPU alone \(2\.13\.0\+cpu\).*cu128/);
  });

  test("is replaced when another one fits better", async () => {
    vi.stubEnv("TRAIN_LORA_TORCH_INDEX", `${index.address}/whl/cpu`);
    await install(cpu);
    vi.stubEnv("TRAIN_LORA_TORCH_INDEX", `${index.address}/whl`);
    expect(await install(nvidia)).toMatchObject({ installed: "2.13.0+cu126 1.0", warning: null });
  });
});

describe("an index that is of no help", () => {
  test("and can't be reached leaves the choice to pip's own, soon, and says what that means", async () => {
    vi.stubEnv("TRAIN_LORA_WEBUI_TORCH_INDEX", NOBODY.replace("http://", "http://anna:s3cret@"));
    const began = Date.now();
    const { installed, warning, log } = await install(nvidia);
    expect(installed).toBe("2.13.0 1.0");
    expect(log).toMatch(/Nobody answers at .*\*\*\*@127\.0\.0\.1:9\/whl[\s\S]*usual index/);
    expect(warning).toContain("Set TRAIN_LORA_TORCH_INDEX");
    expect(log).toContain(warning);
    expect(log).not.toContain("s3cret");
    expect(Date.now() - began).toBeLessThan(60_000);
  });

  test("because it has no build of this release leaves it to pip's own as well", async () => {
    vi.stubEnv("TORCH_INDEX_URL", `${index.address}/old/cu121`);
    expect((await install(nvidia)).log).toMatch(/There is no torch 2\.13\.0 for this machine at .*\/old[\s\S]*usual index/);
  });

  test("because nobody names one is said", async () => {
    const { log, warning } = await install({ ...nvidia, platform: "win32" });
    expect(log).toMatch(/Nothing names an index.*on Windows has the build for the CPU alone: it can't use this machine's GPU/);
    expect(warning).toContain("This PyTorch can't use your GPU");
  });
});

test("a build for the GPU that does not reach it is told with what the driver supports", async () => {
  vi.stubEnv("TRAIN_LORA_TORCH_INDEX", `${index.address}/whl`);
  vi.stubEnv("TEST_OLD_DRIVER", "1");
  expect((await install(nvidia)).warning).toMatch(
    /2\.13\.0\+cu126 is built for CUDA 12\.6 and can't use your GPU; the driver supports CUDA 12\.8\. Update/,
  );
  vi.stubEnv("CUDA_VISIBLE_DEVICES", "");
  expect((await install(nvidia)).warning).toBeNull();
});

test("a torch that can't be loaded is a failure, not a ready trainer", async () => {
  vi.stubEnv("TEST_TORCH_BROKEN", "1");
  await expect(install({ ...cpu, platform: "win32" })).rejects.toMatchObject({
    failure: { code: "install_failed", message: expect.stringMatching(/can't be loaded \(ImportError: DLL load failed.*Visual C\+\+/) },
  });
});

test("a user's defaults for other venvs don't lead pip astray", async () => {
  vi.stubEnv("PIP_CONSTRAINT", join(folder, "nothing.txt"));
  vi.stubEnv("PIP_TARGET", join(folder, "elsewhere"));
  vi.stubEnv("PYTHONPATH", folder);
  expect((await install(cpu)).installed).toBe("2.13.0 1.0");
});
