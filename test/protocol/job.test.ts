import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { applyEvent, etaSeconds, hasEnded, type Job, JobEvent, LOSS_POINTS, newJob } from "../../protocol/job.js";
import { TrainerCommand, TrainerEvent } from "../../protocol/trainer.js";

const lines = (name: string) =>
  readFileSync(new URL(`../../protocol/fixtures/${name}`, import.meta.url), "utf8")
    .trim()
    .split("\n");
const fixture = lines("trainer-run.jsonl").map((line) => TrainerEvent.parse(JSON.parse(line)));
const queued = newJob({ id: "j", name: "zorp", dataset: "zorp", baseModel: "pocket", createdAt: 1, totalSteps: 4, epochs: 2 });
const fold = (events: readonly JobEvent[], job: Job = queued) => events.reduce(applyEvent, job);

describe("the protocol's fixtures", () => {
  test("hold every kind of trainer event and command", () => {
    const kinds = new Set(fixture.map(({ type }) => type));
    expect(TrainerEvent.options.map((option) => option.shape.type.value).filter((type) => !kinds.has(type))).toEqual([]);
    expect(lines("trainer-commands.jsonl").map((line) => TrainerCommand.parse(JSON.parse(line)).type)).toEqual([
      "pause",
      "stop",
      "park",
      "unpark",
      "saveNow",
      "sampleNow",
      "stopAndSave",
      "extend",
    ]);
  });
});

describe("applyEvent", () => {
  test("folds a run with a pause, a failure and a resumption into a finished job", () => {
    const job = fold(fixture);
    expect(job).toMatchObject({ status: "finished", step: 4, epoch: 2, trainSeconds: 12.5, failure: null, sheet: "sheet.png" });
    expect(job.saves.map(({ file }) => file)).toEqual(["zorp-000001.safetensors", "zorp.safetensors"]);
    expect(job.extraSaves.map(({ step, file }) => [step, file])).toEqual([[3, "zorp-step00000003.safetensors"]]);
    expect(job.samples).toEqual([{ step: 3, prompt: 0, file: "samples/step-00000003-0.png" }]);
    expect(job.losses).toEqual([
      [1, 0.21],
      [2, 0.2],
      [3, 0.18],
      [4, 0.17],
    ]);
    expect(hasEnded(job)).toBe(true);
  });

  test("drops the losses after the state from which a run goes on", () => {
    const stopped = fold(
      fixture.slice(
        0,
        fixture.findIndex(({ type }) => type === "stopped"),
      ),
    );
    expect(stopped.losses.at(-1)).toEqual([3, 0.19]);
    const resumed = applyEvent(
      stopped,
      TrainerEvent.parse({ type: "started", time: 9, pid: 1, device: "cpu", precision: "no", step: 2, totalSteps: 4, epochs: 2 }),
    );
    expect(resumed.losses.at(-1)).toEqual([2, 0.2]);
    expect(resumed.step).toBe(2);
  });

  test("says an epoch, a cell or an evaluation twice without doubling it", () => {
    expect(fold([...fixture, ...fixture]).saves).toHaveLength(2);
    expect(fold([...fixture, ...fixture]).cells).toHaveLength(2);
    expect(fold([...fixture, ...fixture]).evaluations).toHaveLength(2);
  });

  test("thins the losses of a long run and keeps its last points in order", () => {
    const steps = Array.from({ length: LOSS_POINTS * 5 }, (_, at) =>
      TrainerEvent.parse({ type: "step", time: at, step: at + 1, epoch: 1, loss: 0.1, learningRate: 1, secondsPerStep: 1 }),
    );
    const job = fold(steps);
    expect(job.losses.length).toBeLessThanOrEqual(LOSS_POINTS);
    expect(job.losses.every(([step], at) => at === 0 || step > (job.losses[at - 1]?.[0] ?? 0))).toBe(true);
    expect(job.losses.at(-1)?.[0]).toBeGreaterThan(LOSS_POINTS * 5 - job.lossStride);
  });

  test("never changes the job it was given", () => {
    const frozen = Object.freeze({ ...queued, saves: Object.freeze([]) as unknown as Job["saves"] });
    expect(() => fold(fixture, frozen)).not.toThrow();
  });

  test("estimates the time left from the pace, and only while it runs", () => {
    const running = fold(fixture.slice(0, 7));
    expect(etaSeconds(running)).toBeCloseTo(1.5);
    expect(etaSeconds(fold([JobEvent.parse({ type: "status", time: 1, status: "paused" })], running))).toBeNull();
  });
});
