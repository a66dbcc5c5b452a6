import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { JobEvent } from "../../../../protocol/job.js";
import type { Plan } from "../../../../protocol/plan.js";
import { GridSettings } from "../../../../protocol/settings.js";
import { scanDataset } from "../../../../server/dataset/scan.js";
import { readHeader } from "../../../../server/library/safetensors.js";
import { makePlan } from "../../../../server/plan/make-plan.js";
import type { Training } from "../../../../server/trainer/run-training.js";
import { makeTempHome, type TempHome, writePictures } from "../../temp-home.js";
import { trainToEnd } from "../train-to-end.js";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const FIXTURE = fileURLToPath(new URL("../../../fixtures/trainers/sd-scripts.mjs", import.meta.url));

let home: TempHome;
let pictures = "";
beforeAll(async () => {
  home = await makeTempHome();
  pictures = await writePictures(join(home.home, "pictures"), 6);
  const checkout = join(home.home, "sd-scripts");
  const python = join(checkout, "venv", "bin", "python");
  await mkdir(join(checkout, "venv", "bin"), { recursive: true });
  await writeFile(join(checkout, "train_network.py"), "");
  await writeFile(python, `#!/bin/sh\nexec "${process.execPath}" "${FIXTURE}" "$@"\n`);
  await chmod(python, 0o755);
  vi.stubEnv("SD_SCRIPTS_DIR", checkout);
  vi.stubEnv("TEST_SD_SCRIPTS_CALLS", join(home.home, "calls"));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await home.remove();
});

async function planOf(outputName: string, settings: Record<string, unknown> = {}): Promise<Plan> {
  const grid = GridSettings.parse({ weights: [0.5, 1], prompts: ["moss, tree"] });
  return makePlan({
    dataset: await scanDataset(pictures),
    baseModel: { name: "tiny", path: "/nowhere/tiny.safetensors", kind: "sd1", prediction: "epsilon", resolution: 512, bytes: 1 },
    settings: { outputName, engine: "kohya", epochs: 3, targetSteps: 18, batchSize: 2, heldOutImages: 1, grid, ...settings },
    now: 1,
  });
}

const train = (plan: Plan, act?: (event: JobEvent, training: Training) => void) => trainToEnd(home, plan, act);

test("a run of sd-scripts gives the events, files, cards, grid, verdict and report of a run of ours", async () => {
  const { job, events, runDir, plan } = await train(await planOf("ok-whole"));
  expect(job).toMatchObject({ status: "finished", step: plan.totalSteps, failure: null, warnings: [], report: "report.html" });
  expect(job.verdict?.sentence).toBeTruthy();
  expect(job.saves.map(({ file }) => file)).toEqual(["ok-whole-000001.safetensors", "ok-whole-000002.safetensors", "ok-whole.safetensors"]);
  expect(events.find(({ type }) => type === "started")).toMatchObject({ device: "cpu", step: 0, totalSteps: plan.totalSteps, epochs: 3 });
  const steps = events.filter((event) => event.type === "step");
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: plan.totalSteps }, (_, index) => index + 1));
  expect(steps.map(({ loss }) => loss)).toEqual(steps.map(({ step }) => Number((0.1 + 1 / step).toPrecision(3))));
  expect(steps.at(-1)).toMatchObject({ epoch: 3, secondsPerStep: 1.5 });
  expect(events.filter((event) => event.type === "stage").map(({ stage }) => stage)).toEqual(
    expect.arrayContaining(["loadingModel", "cachingLatents"]),
  );
  const { metadata } = await readHeader(join(home.loraDir, "ok-whole-000002.safetensors"), "lora_corrupt");
  expect(metadata).toMatchObject({ ss_output_name: "ok-whole-000002", ss_note: "ok-whole-000002" });
  const card: unknown = JSON.parse(await readFile(join(home.loraDir, "ok-whole-000002.json"), "utf8"));
  expect(card).toMatchObject({ description: expect.stringContaining("trained by sd-scripts on tiny") });
  expect(await readdir(join(runDir, "kohya", "out"))).toEqual([]);
});

test("sd-scripts gets the plan's pictures without those that are held out, and nothing but file names on its command line", async () => {
  const { runDir, plan } = await train(await planOf("ok-pictures"));
  const { datasets } = parse(await readFile(join(runDir, "kohya", "dataset.toml"), "utf8"));
  expect(datasets).toMatchObject([{ subsets: [{ num_repeats: plan.images[0]?.repeats, caption_extension: ".txt" }] }]);
  const [subset = ""] = await readdir(join(runDir, "kohya", "pictures"));
  const files = await readdir(join(runDir, "kohya", "pictures", subset));
  expect(files.filter((name) => name.endsWith(".png"))).toHaveLength(5);
  const captions = await Promise.all(
    files.filter((name) => name.endsWith(".txt")).map((name) => readFile(join(runDir, "kohya", "pictures", subset, name), "utf8")),
  );
  expect(captions.map((text) => text.trim()).sort()).toEqual(
    plan.images
      .filter(({ heldOut }) => !heldOut)
      .map(({ caption }) => caption)
      .sort(),
  );
  const calls = (await readFile(join(home.home, "calls"), "utf8"))
    .trim()
    .split("\n")
    .map((line): { args: string[] } => JSON.parse(line));
  expect(calls.at(-1)?.args).toEqual(
    expect.arrayContaining(["--num_processes", "1", "train_network.py", "--config_file", join(runDir, "kohya", "config.toml")]),
  );
});

test("a pause says that sd-scripts has none, and the run goes on from the end of its last epoch", async () => {
  const plan = await planOf("slow-pause");
  const paused = await train(plan, (event, training) => event.type === "step" && event.step === plan.stepsPerEpoch + 2 && training.pause());
  expect(paused.job).toMatchObject({ status: "paused", failure: null });
  expect(paused.job.warnings).toEqual([expect.stringMatching(/no pause.*end of epoch 1/)]);
  const resumed = await train(plan);
  expect(resumed.runDir).toBe(paused.runDir);
  expect(resumed.events.find(({ type }) => type === "started")).toMatchObject({ step: plan.stepsPerEpoch });
  expect(resumed.job).toMatchObject({ status: "finished", step: plan.totalSteps });
  expect(resumed.events.filter(({ type }) => type === "saved")).toHaveLength(2);
  const config = await readFile(join(paused.runDir, "kohya", "config.toml"), "utf8");
  expect(config).toContain("initial_epoch = 2");
});

test("a stop ends sd-scripts with everything that it has started", async () => {
  const { job } = await train(await planOf("slow-stop"), (event, training) => event.type === "step" && event.step === 2 && training.stop());
  expect(job).toMatchObject({ status: "stopped", failure: null });
  expect(existsSync(join(home.loraDir, "slow-stop.safetensors"))).toBe(false);
});

describe("what goes wrong in sd-scripts is told as a failure", () => {
  test.each<[string, string, RegExp]>([
    ["memory-out", "out_of_memory", /memory/],
    ["module-gone", "program_missing", /voluptuous/],
    ["nan-loss", "nan_loss", /step 3/],
    ["crash-once", "crashed", /exit code 1/],
  ])("%s: %s", async (name, code, message) => {
    const { job } = await train(await planOf(name));
    expect(job).toMatchObject({ status: "failed", failure: { code, message: expect.stringMatching(message) } });
  });

  test("and steps that differ from the plan's as a warning", async () => {
    const { job } = await train(await planOf("miscount-one"));
    expect(job.warnings[0]).toMatch(/sd-scripts counts \d+ pictures × repeats, but the plan promised \d+/);
  });

  test("while epochs that could not be drawn cost only the pictures", async () => {
    const { job } = await train(await planOf("unseen-grid"));
    expect(job).toMatchObject({ status: "finished", verdict: null });
    expect(job.saves).toHaveLength(3);
    expect(job.warnings[0]).toMatch(/could not be measured and drawn/);
  });

  test("and a checkout that is not there before anything is prepared", async () => {
    vi.stubEnv("SD_SCRIPTS_DIR", join(home.home, "nowhere"));
    const { job, events } = await train(await planOf("ok-nowhere"));
    expect(job.failure).toMatchObject({ code: "program_missing", message: expect.stringContaining("SD_SCRIPTS_DIR") });
    expect(events.map(({ type }) => type)).toEqual(["failed"]);
    vi.stubEnv("SD_SCRIPTS_DIR", join(home.home, "sd-scripts"));
  });
});
