import { existsSync } from "node:fs";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { JobEvent } from "../../../protocol/job.js";
import type { Plan } from "../../../protocol/plan.js";
import { newRun, openRun, readEvents } from "../../../server/trainer/run.js";
import { runTraining, type Training } from "../../../server/trainer/run-training.js";
import { planOf } from "../plan-of.js";
import { makeTempHome, type TempHome } from "../temp-home.js";
import { trainToEnd } from "./train-to-end.js";

// Programs start slowly on a machine that is busy with something else.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

let home: TempHome;
beforeAll(async () => {
  home = await makeTempHome();
});
afterAll(() => home.remove());

const train = (plan: Plan, act?: (event: JobEvent, training: Training) => void) => trainToEnd(home, plan, act);

test("a run ends with every file, a verdict and a report, and says so last", async () => {
  const { job, events, runDir } = await train(planOf("ok-whole"));
  expect(job).toMatchObject({ status: "finished", step: 6, failure: null, trainSeconds: 1, report: "report.html", warnings: [] });
  expect(job.verdict?.sentence).toBeTruthy();
  expect(events[0]).toMatchObject({ type: "status", status: "preparing" });
  expect(events.at(-1)?.type).toBe("finished");
  expect(existsSync(join(home.loraDir, "ok-whole.safetensors"))).toBe(true);
  expect(await readFile(join(runDir, "report.html"), "utf8")).toContain("ok-whole");
  expect(existsSync(join(runDir, "grid", "grid.json"))).toBe(true);
  expect(await readEvents(runDir)).toEqual(events);
});

test("a pause saves the state, and the next run of the same plan goes on from it", async () => {
  const plan = planOf("slow-pause", { stepsPerEpoch: 40 });
  const paused = await train(plan, (event, training) => event.type === "step" && event.step === 2 && training.pause());
  expect(paused.job.status).toBe("paused");
  const resumed = await train(plan);
  expect(resumed.runDir).toBe(paused.runDir);
  expect(resumed.events.find((event) => event.type === "started")).toMatchObject({ step: paused.job.step });
  expect(resumed.job.status).toBe("finished");
});

test("a stopped run is over: its plan begins a new run under a new name", async () => {
  const plan = planOf("slow-stop", { stepsPerEpoch: 40 });
  const stopped = await train(plan, (event, training) => event.type === "step" && training.stop());
  expect(stopped.job.status).toBe("stopped");
  const next = await openRun({ paths: home, plan, loraDir: home.loraDir });
  expect(next.resumed).toBe(false);
});

test("a crash is told with the end of the log and leaves a run that can be resumed", async () => {
  const { job, runDir } = await train(planOf("crash-once"));
  expect(job.failure).toMatchObject({ code: "crashed", details: expect.stringContaining("the fixture fell over") });
  expect(job.failure?.message).toContain("exit code 3");
  expect(job.failure?.message).toContain("resume");
  expect(await openRun({ paths: home, plan: planOf("crash-once"), loraDir: home.loraDir })).toMatchObject({ runDir, resumed: true });
});

test("a trainer that is killed in the middle of an epoch is told as such and goes on from its state", async () => {
  const plan = planOf("slow-killed", { stepsPerEpoch: 40 });
  let pid = 0;
  const killed = await train(plan, (event) => {
    if (event.type === "started") pid = event.pid;
    if (event.type === "step" && event.step === 44) process.kill(pid, "SIGKILL");
  });
  expect(killed.job.failure?.message).toContain("SIGKILL");
  const resumed = await train(plan);
  expect(resumed.events.find((event) => event.type === "started")).toMatchObject({ step: 40 });
  expect(resumed.job.status).toBe("finished");
});

test("lines that are no events go to the log and disturb nothing", async () => {
  const { job, runDir } = await train(planOf("garbage-lines"));
  expect(job.status).toBe("finished");
  const log = await readFile(join(runDir, "trainer.log"), "utf8");
  expect(log).toContain("warning: the trainer wrote a line that is no event: this is no event");
  expect(log).toContain("log: begins at step 0");
});

test("a failure that the trainer names keeps its code", async () => {
  const { job } = await train(planOf("failing-nan"));
  expect(job.failure).toMatchObject({ code: "nan_loss" });
});

test("a trainer that does not listen is ended with its group", async () => {
  const plan = planOf("deaf-hang", { stepsPerEpoch: 1000 });
  const { job } = await train(plan, (event, training) => {
    if (event.type !== "step") return;
    if (event.step === 2) training.stop();
    if (event.step === 4) training.kill();
  });
  expect(job.status).toBe("stopped");
});

test("stop during the preparation starts no trainer", async () => {
  const { job, events } = await train(
    planOf("ok-never"),
    (event, training) => event.type === "status" && event.status === "preparing" && training.stop(),
  );
  expect(job.status).toBe("stopped");
  expect(events.some((event) => event.type === "started")).toBe(false);
});

test("two trainings of one run exclude each other", async () => {
  const plan = planOf("slow-twice", { stepsPerEpoch: 40 });
  const { runDir } = await newRun({ paths: home, plan, loraDir: home.loraDir });
  const first: JobEvent[] = [];
  const second: JobEvent[] = [];
  const one = runTraining({ paths: home, runDir, onEvent: (event) => first.push(event) });
  await expect.poll(() => first.some((event) => event.type === "step"), { timeout: 60_000 }).toBe(true);
  const two = runTraining({ paths: home, runDir, onEvent: (event) => second.push(event) });
  await two.done;
  expect(second.at(-1)).toMatchObject({ type: "failed", code: "bad_request" });
  await one.done;
  expect(first.at(-1)?.type).toBe("finished");
});

describe("the record of a run", () => {
  test("goes on on a line of its own after half a line", async () => {
    const plan = planOf("slow-half", { stepsPerEpoch: 40 });
    const { runDir } = await train(plan, (event, training) => event.type === "step" && training.pause());
    await appendFile(join(runDir, "events.jsonl"), '{"type":"st');
    await train(plan);
    expect((await readEvents(runDir)).at(-1)?.type).toBe("finished");
  });

  test("tells of a run whose folder was removed", async () => {
    const { runDir } = await newRun({ paths: home, plan: planOf("ok-gone"), loraDir: home.loraDir });
    await writeFile(join(runDir, "run.json"), "");
    const events: JobEvent[] = [];
    await runTraining({ paths: home, runDir, onEvent: (event) => events.push(event) }).done;
    expect(events).toMatchObject([{ type: "failed", code: "not_found" }]);
  });
});
