import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { askToLeave, findServer } from "../../server/http/running-server.js";
import { type CliResult, lastJson, runCli } from "../cli/run-cli.js";
import { type Bundle, bundlePrograms } from "./bundle.js";
import { makeTempHome, type TempHome } from "./temp-home.js";

// Programs start slowly on a machine that is busy with something else.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

let bundle: Bundle;
let home: TempHome;
beforeAll(async () => {
  bundle = await bundlePrograms();
});
afterAll(() => bundle.remove());
beforeEach(async () => {
  home = await makeTempHome();
  await copyFile(join(home.checkpointsDir, "tiny.safetensors"), join(home.checkpointsDir, "pocket.safetensors"));
});
afterEach(async () => {
  const server = await findServer(home);
  if (server !== null) await askToLeave(server);
  await expect.poll(() => findServer(home), { timeout: 60_000 }).toBeNull();
  await home.remove();
});

const demo = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> =>
  runCli(bundle.demo, ["--home", home.home, ...args], { env: { ...home.env, ...env } });

test("the demo walks the road by the server and leaves nothing running", async () => {
  const result = await demo(["--json"]);
  expect(result, result.stderr + result.stdout).toMatchObject({ code: 0 });
  const summary = lastJson(result);
  expect(Object.keys(summary)).toEqual(["loras", "grid", "verdict", "steps", "trainSeconds", "gridSeconds", "heldOutLoss", "ok"]);
  expect(summary).toMatchObject({
    ok: true,
    verdict: { epoch: expect.any(Number), weight: expect.any(Number), reasons: expect.any(Array) },
  });
  const loras = [summary.loras].flat().map(String);
  expect(loras.length).toBeGreaterThan(1);
  for (const file of [...loras, String(summary.grid)]) expect(existsSync(file), file).toBe(true);
  expect([summary.heldOutLoss].flat()).toHaveLength(loras.length + 1);
  expect(await findServer(home)).toBeNull();
});

test("--open leaves the server, and the next demo joins it with a data set of its own", async () => {
  const first = await demo(["--open"]);
  expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/its page is http:\/\/127\.0\.0\.1:\d+\/#code=\S+/) });
  expect(first.stdout).toMatch(/LoRA: .*mossling\S*\.safetensors/);
  const server = await findServer(home);
  expect(server).not.toBeNull();
  const second = await demo(["--json"]);
  expect(second.stderr).toContain("as mossling-2");
  expect(lastJson(second)).toMatchObject({ ok: true });
  expect((await findServer(home))?.pid).toBe(server?.pid);
});

test("what it can't do ends with 1, a sentence and a code", async () => {
  const result = await demo(["--json"], { TRAIN_LORA_VENV: join(home.home, "none"), TRAIN_LORA_PYTHON: "/nowhere/python" });
  expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining("/nowhere/python") });
  expect(lastJson(result)).toMatchObject({ ok: false, code: "program_missing" });
  expect((await demo(["--wrong"])).code).toBe(2);
});
