import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freeNames, newRun, openRun } from "../../../server/trainer/run.js";
import { planOf } from "../plan-of.js";
import { makeTempHome, type TempHome } from "../temp-home.js";

let home: TempHome;
beforeEach(async () => {
  home = await makeTempHome();
});
afterEach(() => home.remove());

test.each([
  [[], "moss"],
  [["other.safetensors"], "moss"],
  [["moss.safetensors"], "moss-2"],
  [["moss-000001.safetensors"], "moss-2"],
  [["MOSS.safetensors"], "moss-2"],
  [["moss.json"], "moss-2"],
  [["moss.preview.png"], "moss-2"],
  [["moss.pt"], "moss-2"],
  [["moss.safetensors", "moss-2.safetensors", "moss-4.safetensors"], "moss-3"],
  [["moss-2.safetensors"], "moss"],
])("beside %j the LoRA is called %s", (taken, name) => {
  const { outputName, files } = freeNames(planOf("moss"), taken);
  expect(outputName).toBe(name);
  expect(files).toEqual([`${name}-000001.safetensors`, `${name}.safetensors`]);
});

test("a LoRA in a sub-folder keeps its name to itself, because WebUIs know LoRAs by their name alone", async () => {
  await mkdir(join(home.loraDir, "people", "forest"), { recursive: true });
  await writeFile(join(home.loraDir, "people", "forest", "Moss-000001.safetensors"), "");
  await writeFile(join(home.loraDir, "people", "moss-2.txt"), "");
  const { run } = await newRun({ paths: home, plan: planOf("moss"), loraDir: home.loraDir });
  expect(run.outputName).toBe("moss-2");
});

test("names that another unfinished run will write are taken as well", async () => {
  const plan = planOf("moss");
  const request = { paths: home, plan, loraDir: home.loraDir };
  const runs = await Promise.all([newRun(request), newRun(request), newRun(request)]);
  expect(runs.map(({ run }) => run.outputName).sort()).toEqual(["moss", "moss-2", "moss-3"]);
});

test("a run belongs to its plan and its folder", async () => {
  const plan = planOf("moss");
  const first = await openRun({ paths: home, plan, loraDir: home.loraDir });
  expect(first.resumed).toBe(false);
  expect(await openRun({ paths: home, plan, loraDir: home.loraDir })).toEqual({ ...first, resumed: true });
  expect((await openRun({ paths: home, plan: planOf("other"), loraDir: home.loraDir })).resumed).toBe(false);
  expect((await openRun({ paths: home, plan, loraDir: join(home.home, "elsewhere") })).resumed).toBe(false);
});

test("a finished run is not gone on with, and remains of a cut are passed over", async () => {
  const plan = planOf("moss");
  const { run, runDir } = await openRun({ paths: home, plan, loraDir: home.loraDir });
  await writeFile(
    join(runDir, "events.jsonl"),
    `${JSON.stringify({ type: "finished", time: 1, step: 6, trainSeconds: 1, computeSeconds: 1, gridSeconds: 1, peakRssMb: 1 })}\n`,
  );
  await mkdir(join(home.runsDir, "half"), { recursive: true });
  await writeFile(join(home.runsDir, "half", "run.json"), '{"id":');
  const next = await openRun({ paths: home, plan, loraDir: home.loraDir });
  expect(next.resumed).toBe(false);
  expect(next.run.id).not.toBe(run.id);
});
