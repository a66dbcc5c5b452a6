import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type HomePaths, homePaths } from "../../../server/paths.js";
import { findPython } from "../../../server/trainer/find-python.js";
import { ensureTrainer, readyTrainer } from "../../../server/trainer/venv.js";

// Programs start slowly on a machine that is busy with something else.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const BASE_PYTHON = fileURLToPath(new URL("../../fixtures/trainers/base-python.mjs", import.meta.url));

let paths: HomePaths;
let venv: string;
let calls: string;

beforeEach(async () => {
  paths = homePaths(await mkdtemp(join(tmpdir(), "train-lora-venv-")));
  venv = join(paths.home, "venv");
  calls = join(paths.home, "calls");
  const python = join(paths.home, "python3");
  await writeFile(python, `#!/bin/sh\nexec "${process.execPath}" "${BASE_PYTHON}" "$@"\n`);
  await chmod(python, 0o755);
  await writeFile(calls, "");
  vi.stubEnv("TRAIN_LORA_PYTHON", python);
  vi.stubEnv("TRAIN_LORA_VENV", venv);
  vi.stubEnv("TEST_PYTHON_CALLS", calls);
  vi.stubEnv("TRAIN_LORA_TORCH_INDEX", "");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(paths.home, { recursive: true, force: true });
});

const installs = async () => (await readFile(calls, "utf8")).split("\n").filter((line) => line.startsWith("-m pip install")).length;

test("the venv is made once, with progress, and pip's own environment reaches pip", async () => {
  vi.stubEnv("PIP_INDEX_URL", "http://mirror.example/simple");
  const lines: string[] = [];
  expect(await readyTrainer(paths)).toBeNull();
  const { python } = await ensureTrainer(paths, { onProgress: (line) => lines.push(line) });
  expect(python).toBe(join(venv, "bin", "python"));
  expect(lines.join("\n")).toMatch(
    /Making the trainer's venv with Python 3\.11\.4[\s\S]*Collecting torch[\s\S]*from http:\/\/mirror\.example\/simple[\s\S]*installed/,
  );
  expect(await ensureTrainer(paths)).toEqual({ python, warning: null });
  expect(await readyTrainer(paths)).toBe(python);
  expect(await installs()).toBe(1);
});

test("two callers at the same time install once", async () => {
  await Promise.all([ensureTrainer(paths), ensureTrainer(paths)]);
  expect(await installs()).toBe(1);
});

test("an installation that was cut off is gone on with", async () => {
  vi.stubEnv("TEST_PIP", "slow");
  const cut = new AbortController();
  const installing = ensureTrainer(paths, {
    onProgress: (line) => line.startsWith("Collecting") && cut.abort(),
    signal: cut.signal,
  });
  await expect(installing).rejects.toThrow();
  expect(await readyTrainer(paths)).toBeNull();
  vi.stubEnv("TEST_PIP", "ok");
  await ensureTrainer(paths);
  expect(await installs()).toBe(2);
});

test("a venv that is being changed is nobody's, not even when the old packages are wanted again", async () => {
  await ensureTrainer(paths);
  const marker = join(venv, "train-lora.json");
  const ofToday = await readFile(marker, "utf8");
  await writeFile(marker, ofToday.replace(/"requirements":"\w/, '"requirements":"x'));
  vi.stubEnv("TEST_PIP", "offline");
  await expect(ensureTrainer(paths)).rejects.toMatchObject({ failure: { code: "install_failed" } });
  expect(await readyTrainer(paths)).toBeNull();
  await expect(readFile(marker)).rejects.toThrow();
});

test("a torch that can't use the GPU stays until somebody asks for a better one or names another index", async () => {
  await ensureTrainer(paths);
  const marker = join(venv, "train-lora.json");
  const told = JSON.stringify({ ...JSON.parse(await readFile(marker, "utf8")), torch: { warning: "CPU only", index: "" } });
  await writeFile(marker, told);
  await ensureTrainer(paths);
  expect(await installs()).toBe(1);
  await ensureTrainer(paths, { betterTorch: true });
  expect(await installs()).toBe(2);
  await writeFile(marker, told);
  vi.stubEnv("TRAIN_LORA_TORCH_INDEX", "http://127.0.0.1:9/whl/cpu");
  expect(await readyTrainer(paths)).toBeNull();
});

test("other requirements than the installed ones are installed", async () => {
  await ensureTrainer(paths);
  await writeFile(join(venv, "train-lora.json"), JSON.stringify({ requirements: "of yesterday", python: "3.11" }));
  await ensureTrainer(paths);
  expect(await installs()).toBe(2);
});

test("what pip can't do is told with the end of what it said", async () => {
  vi.stubEnv("TEST_PIP", "offline");
  await expect(ensureTrainer(paths)).rejects.toMatchObject({
    failure: {
      code: "install_failed",
      message: expect.stringContaining("No matching distribution found for torch"),
      details: expect.stringContaining("Collecting torch"),
    },
  });
  vi.stubEnv("TEST_PIP", "full");
  await expect(ensureTrainer(paths)).rejects.toMatchObject({ failure: { code: "disk_full" } });
});

test("a Python that is missing or does not fit is named", async () => {
  vi.stubEnv("TRAIN_LORA_PYTHON", "/nowhere/python");
  await expect(findPython()).rejects.toMatchObject({
    failure: { code: "program_missing", message: expect.stringContaining('"/nowhere/python"') },
  });
  vi.stubEnv("TRAIN_LORA_PYTHON", "");
  vi.stubEnv("PATH", "/nowhere");
  await expect(findPython()).rejects.toMatchObject({
    failure: { code: "program_missing", message: expect.stringMatching(/Python from 3\.10 to 3\.13.*none was found/) },
  });
  vi.stubEnv("PATH", paths.home);
  vi.stubEnv("TEST_PYTHON", "3.9.2");
  await expect(findPython()).rejects.toMatchObject({ failure: { message: expect.stringContaining("python3 is Python 3.9.2") } });
  vi.stubEnv("TEST_PYTHON", "3.14.0");
  await expect(findPython()).rejects.toMatchObject({ failure: { code: "program_missing" } });
  vi.stubEnv("TEST_PYTHON", "3.12.1 false");
  await expect(findPython()).rejects.toMatchObject({ failure: { message: expect.stringContaining("python3-venv") } });
  vi.stubEnv("TEST_PYTHON", "3.12.1");
  expect(await findPython()).toEqual({ command: ["python3"], version: "3.12.1" });
});
