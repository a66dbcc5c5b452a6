import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { usualCommands, whyNot } from "../../../server/trainer/find-python.js";
import { makeVenv, pythonOf, removeHalfPackages } from "../../../server/trainer/make-venv.js";

// Programs start slowly on a machine that is busy with something else.
vi.setConfig({ testTimeout: 120_000 });

let folder: string;
let venv: string;
const lines: string[] = [];
const request = { chosen: false, onProgress: (line: string) => void lines.push(line), signal: undefined };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "train-lora венв & "));
  venv = join(folder, "venv-trainer");
  lines.length = 0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("a venv that was cut off before it had pip is made anew", async () => {
  execFileSync("python3", ["-m", "venv", "--without-pip", venv]);
  const python = await makeVenv(venv, request);
  expect(execFileSync(python, ["-m", "pip", "--version"], { encoding: "utf8" })).toMatch(/^pip /);
  expect(lines[0]).toContain("Making the trainer's venv");
  lines.length = 0;
  expect(await makeVenv(venv, request)).toBe(python);
  expect(lines).toEqual([]);
});

test("a venv of the user's own without pip gets it, and one without a Python is told", async () => {
  execFileSync("python3", ["-m", "venv", "--without-pip", venv]);
  const python = await makeVenv(venv, { ...request, chosen: true });
  expect(execFileSync(python, ["-m", "pip", "--version"], { encoding: "utf8" })).toMatch(/^pip /);
  await mkdir(join(folder, "other"));
  await expect(makeVenv(join(folder, "other"), { ...request, chosen: true })).rejects.toMatchObject({
    failure: { code: "install_failed", message: expect.stringContaining("no Python that runs in it") },
  });
});

test("packages that pip was writing when it was cut off are installed again", async () => {
  const packages = join(venv, "lib", "python3.11", "site-packages");
  for (const name of ["whole-1.0.dist-info", "half-1.0.dist-info"]) await mkdir(join(packages, name), { recursive: true });
  await writeFile(join(packages, "whole-1.0.dist-info", "RECORD"), "");
  await mkdir(join(packages, "half"));
  await removeHalfPackages(venv);
  expect((await readdir(packages)).sort()).toEqual(["half", "whole-1.0.dist-info"]);
});

test("each system has the Python of a venv in its own place", () => {
  expect(pythonOf("/home/v", "linux")).toBe(join("/home/v", "bin", "python"));
  expect(pythonOf("/home/v", "win32")).toBe(join("/home/v", "Scripts", "python.exe"));
});

test("every fitting Python is looked for, on Windows by its launcher too", () => {
  expect(usualCommands("linux").map((command) => command.join(" "))).toEqual([
    ...["python3", "python", "python3.13", "python3.12", "python3.11", "python3.10"],
  ]);
  expect(usualCommands("win32").map((command) => command.join(" "))).toEqual(
    expect.arrayContaining(["py -3", "py -3.13", "py -3.10", "python3.11"]),
  );
});

test.each<[string, Parameters<typeof whyNot>[0], NodeJS.Platform, string | null]>([
  ["3.10", { version: [3, 10, 6], venv: true }, "win32", null],
  ["3.13", { version: [3, 13, 0], venv: true, machine: "arm64" }, "darwin", null],
  ["3.9", { version: [3, 9, 18], venv: true }, "linux", ""],
  ["3.14, for which not every pinned package has a build", { version: [3, 14, 0], venv: true }, "linux", ""],
  ["32 bits", { version: [3, 10, 6], venv: true, bits: 32 }, "win32", " for 32 bits, for which there is no PyTorch"],
  ["Intel's on a Mac", { version: [3, 11, 9], venv: true, machine: "x86_64" }, "darwin", expect.stringContaining("Intel")],
  ["Intel's elsewhere", { version: [3, 11, 9], venv: true, machine: "x86_64" }, "linux", null],
  ["without venv", { version: [3, 12, 1], venv: false }, "linux", " without its venv module"],
])("whether a Python will do: %s", (_, probe, system, why) => {
  expect(whyNot(probe, system)).toEqual(why);
});
