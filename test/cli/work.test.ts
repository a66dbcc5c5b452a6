import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Dataset, FixReport, ImportReport } from "../../protocol/dataset.js";
import { JobEvent } from "../../protocol/job.js";
import { Plan } from "../../protocol/plan.js";
import { type Bundle, bundlePrograms } from "../server/bundle.js";
import { makeTempHome, type TempHome, writePictures } from "../server/temp-home.js";
import { callCli, lastJson, runCli } from "./run-cli.js";

// Programs start slowly on a machine that is busy with something else.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

let bundle: Bundle;
let home: TempHome;
let pictures: string;
beforeAll(async () => {
  [bundle, home] = await Promise.all([bundlePrograms(), makeTempHome()]);
  pictures = await writePictures(join(home.home, "pictures"));
});
afterAll(async () => {
  await bundle.remove();
  await home.remove();
});

const cli = (...args: string[]) => callCli([...args, "--home", home.home]);
const base = () => join(home.checkpointsDir, "tiny.safetensors");
const file = (name: string) => join(home.home, name);

async function makePlan(name: string, ...args: string[]): Promise<string> {
  const out = file(`${name}.json`);
  const result = await cli("plan", pictures, "--base", base(), "--name", name, "--target-steps", "8", "--epochs", "2", "-o", out, ...args);
  expect(result).toMatchObject({ code: 0 });
  return out;
}

const events = (stdout: string) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JobEvent.parse(JSON.parse(line)));

test("a data set is scanned, fixed and imported, and tells the same as the server does", async () => {
  expect(Dataset.parse(lastJson(await cli("dataset", "scan", pictures, "--json"))).images).toHaveLength(4);
  expect((await cli("dataset", "scan", pictures)).stdout).toContain("4 pictures");
  const dry = FixReport.parse(lastJson(await cli("dataset", "fix", pictures, "--trigger", "moss", "--dry-run", "--json")));
  expect(dry).toMatchObject({ dryRun: true, editId: null });
  const imported = ImportReport.parse(lastJson(await cli("dataset", "import", pictures, "--name", "taken", "--json")));
  expect(imported).toMatchObject({ name: "taken", images: 4, captions: 4, root: join(home.datasetsDir, "taken") });
  expect(await cli("dataset", "import", pictures, "--name", "taken")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("[dataset_exists]"),
  });
});

test("a plan obeys the settings file, and flags go before it", async () => {
  await writeFile(file("settings.toml"), "epochs = 3\nnetwork_dim = 4\nbatch_size = 2\nno_such_thing = 1\n");
  const out = file("plan.json");
  const result = await cli(
    "plan",
    pictures,
    "--base",
    base(),
    "--settings",
    file("settings.toml"),
    "--epochs",
    "5",
    "--target-steps",
    "40",
    "-o",
    out,
    "--json",
  );
  const plan = Plan.parse(lastJson(result));
  expect(plan.settings).toMatchObject({ epochs: 5, networkDim: 4, targetSteps: 40 });
  expect(plan.warnings.map(({ code }) => code)).toContain("unknown_settings");
  expect(Plan.parse(JSON.parse(await readFile(out, "utf8")))).toEqual(plan);
});

test("train runs a plan to its end, one event a line", async () => {
  const plan = await makePlan("ok-json");
  const { code, stdout } = await cli("train", plan, "--models", file("Lora"), "--json");
  expect(code).toBe(0);
  const all = events(stdout);
  expect(all.at(-1)?.type).toBe("finished");
  expect(all.some(({ type }) => type === "verdict")).toBe(true);
  expect(existsSync(join(file("Lora"), "ok-json.safetensors"))).toBe(true);
});

test("without --json it tells where things are", async () => {
  const { code, stdout, stderr } = await cli("train", await makePlan("ok-plain"));
  expect(code).toBe(0);
  expect(stdout).toContain(`2 LoRA files in ${home.loraDir}`);
  expect(stdout).toContain("report.html");
  expect(stderr).toContain("Epoch 2 of 2: saved ok-plain.safetensors");
});

test("Ctrl-C saves the state, and the same command goes on", async () => {
  const plan = await makePlan("slow-cut", "--target-steps", "80");
  const cut = await runCli(bundle.cli, ["train", plan, "--json"], {
    env: { ...home.env, TRAIN_LORA_HOME: home.home },
    onLine: (line, kill) => /"type":"step".*"step":2,/.test(line) && kill("SIGINT"),
  });
  expect(cut.code).toBe(1);
  expect(cut.stderr).toContain("The same command goes on");
  expect(events(cut.stdout).at(-1)?.type).toBe("paused");
  const rest = await cli("train", plan, "--json");
  expect(rest.code).toBe(0);
  const started = events(rest.stdout).find((event) => event.type === "started");
  expect(started).toMatchObject({ step: expect.toSatisfy((step) => step > 0) });
});

test("a killed command leaves a run that the same command goes on with", async () => {
  const plan = await makePlan("slow-killed", "--batch-size", "1");
  const killed = await runCli(bundle.cli, ["train", plan, "--json"], {
    env: { ...home.env, TRAIN_LORA_HOME: home.home },
    onLine: (line, kill) => line.includes('"type":"saved"') && kill("SIGKILL"),
  });
  expect(killed.code).toBeNull();
  const rest = await cli("train", plan, "--json");
  expect(rest.code).toBe(0);
  expect(rest.stdout).toContain('"type":"started"');
});

test("a failure of the trainer ends with 1 and its code", async () => {
  const failing = await cli("train", await makePlan("failing-nan"), "--json");
  expect(failing.code).toBe(1);
  expect(lastJson(failing)).toMatchObject({ ok: false, code: "nan_loss" });
  const crashing = await cli("train", await makePlan("crash-cli"));
  expect(crashing).toMatchObject({ code: 1, stderr: expect.stringContaining("the fixture fell over") });
});

test("a plan of another version is refused", async () => {
  const path = await makePlan("ok-version");
  const plan = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify({ ...plan, planVersion: 2 }));
  expect(lastJson(await cli("train", path, "--json"))).toMatchObject({ ok: false, code: "plan_version" });
});

test("a LoRA file is told in words and as JSON", async () => {
  await cli("train", await makePlan("ok-inspect"));
  const lora = join(home.loraDir, "ok-inspect.safetensors");
  expect(lastJson(await cli("lora", "inspect", lora, "--json"))).toMatchObject({ file: "ok-inspect.safetensors" });
  expect((await cli("lora", "inspect", lora)).stdout.length).toBeGreaterThan(20);
});
