import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { installPackages } from "../../../server/trainer/install-packages.js";
import { callCli } from "../../cli/run-cli.js";

// Programs start slowly on a machine that is busy with something else.
vi.setConfig({ testTimeout: 120_000 });

const BASE_PYTHON = fileURLToPath(new URL("../../fixtures/trainers/base-python.mjs", import.meta.url));
const facts = { platform: "linux", arch: "x64", nvidia: { cuda: 12.8, capability: 8.6 }, rocm: null } as const;

let folder: string;
let python: string;
let requirements: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "train-lora-torch-"));
  python = join(folder, "python3");
  requirements = join(folder, "requirements.txt");
  await writeFile(requirements, "torch==2.13.0\nnumpy==2.2.6\n");
  await writeFile(python, `#!/bin/sh\nexec "${process.execPath}" "${BASE_PYTHON}" "$@"\n`);
  await chmod(python, 0o755);
  vi.stubEnv("TEST_PYTHON_CALLS", join(folder, "calls"));
  vi.stubEnv("TRAIN_LORA_TORCH_INDEX", "http://mirror.example/whl/");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function install(): Promise<{ lines: string[]; torch: string[] }> {
  const lines: string[] = [];
  await installPackages({ python, requirements, facts, onProgress: (line) => lines.push(line), signal: undefined });
  const calls = (await readFile(join(folder, "calls"), "utf8")).split("\n");
  return { lines, torch: calls.flatMap((call) => /torch==2\.13\.0 --index-url (\S+)/.exec(call)?.[1] ?? []) };
}

test("torch comes first, from the named index and in the best build that is there", async () => {
  vi.stubEnv("TEST_TORCH_BUILDS", "cu126 cpu");
  const { lines, torch } = await install();
  expect(torch).toEqual(["http://mirror.example/whl/cu128", "http://mirror.example/whl/cu126"]);
  expect(lines.join("\n")).toMatch(/NVIDIA's CUDA[\s\S]*no torch==2\.13\.0 for cu128[\s\S]*torch\+cu126[\s\S]*Collecting torch/);
});

test("an index without any of the builds leaves the choice to pip's own", async () => {
  expect((await install()).lines.join("\n")).toMatch(/None of these builds was found[\s\S]*Collecting torch/);
});

test("without a named index pip's own decides about everything", async () => {
  vi.stubEnv("TRAIN_LORA_TORCH_INDEX", "");
  expect((await install()).torch).toEqual([]);
});

test("train-lora setup tells its way as JSON lines, and its failure as one", async () => {
  vi.stubEnv("TRAIN_LORA_PYTHON", python);
  vi.stubEnv("TRAIN_LORA_VENV", join(folder, "venv"));
  vi.stubEnv("TRAIN_LORA_TORCH_INDEX", "");
  vi.stubEnv("TEST_PIP", "offline");
  const setup = async () => {
    const { code, stdout } = await callCli(["setup", "--home", folder, "--json"]);
    return {
      code,
      lines: stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    };
  };
  const failed = await setup();
  expect([failed.code, failed.lines.at(-1)]).toEqual([1, expect.objectContaining({ type: "failed", code: "install_failed" })]);
  vi.stubEnv("TEST_PIP", "ok");
  const done = await setup();
  expect([done.code, done.lines.at(-1)]).toEqual([0, { type: "done" }]);
  expect(done.lines.filter(({ type }) => type === "line").map(({ text }) => text)).toContain("Collecting torch");
  expect((await setup()).lines).toEqual([{ type: "done" }]);
});
