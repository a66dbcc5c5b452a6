import { describe, expect, it } from "vitest";
import type { Verdict } from "../../protocol/grid.js";
import { applyEvent, type Job, newJob } from "../../protocol/job.js";
import { GridSettings } from "../../protocol/settings.js";
import { cellAt, flagsAt, gridModel, neighbour, noLora, relativeScore } from "../../ui/data/grid-model.js";

const queued = newJob({ id: "j", name: "j", dataset: "d", baseModel: "m", createdAt: 1, totalSteps: 4, epochs: 3 });
const cell = (epoch: number, weight: number, seed = 1) => ({
  epoch,
  weight,
  prompt: 0,
  seed,
  file: `cells/${epoch}-${weight}-${seed}.png`,
});
const drawn = [cell(0, 0), cell(1, 0.5), cell(1, 1), cell(2, 0.5)].reduce<Job>(
  (job, one) => applyEvent(job, { type: "cell", time: 1, ...one }),
  queued,
);
const settings = GridSettings.parse({ weights: [0, 0.5, 1], prompts: ["a", "b"], seeds: [1, 2] });

describe("a run's grid", () => {
  it("is made of the drawn cells when nothing else is known", () => {
    const model = gridModel(drawn, null, null);
    expect(model).toMatchObject({ epochs: [1, 2], weights: [0.5, 1], seeds: [1], drawn: 4 });
    expect(cellAt(model, noLora, 0, 1)?.file).toBe("cells/0-0-1.png");
    expect(cellAt(model, { epoch: 2, weight: 1 }, 0, 1)).toBeUndefined();
  });

  it("takes places, size and flags from grid.json, and shows weight 0 only as the no-LoRA column", () => {
    const grid = {
      gridVersion: 1 as const,
      baseModel: "m",
      width: 128,
      height: 96,
      clipSkip: 1,
      settings,
      rows: [],
      cells: [{ ...cell(1, 1), flags: ["fried" as const] }],
      sheet: "sheet.png",
      verdict: null,
    };
    const model = gridModel(drawn, null, grid);
    expect(model).toMatchObject({ width: 128, height: 96, weights: [0.5, 1], prompts: ["a", "b"], expected: 2 * 2 * (1 + 2 * 2) });
    expect(flagsAt(model, { epoch: 1, weight: 1 }, 0, 1)).toEqual(["fried"]);
  });

  it("is walked cell by cell, with the no-LoRA column beside every row", () => {
    const model = gridModel(drawn, null, null);
    expect(neighbour(model, { place: { epoch: 1, weight: 0.5 }, row: 0 }, -1, 0)).toEqual({ place: noLora, row: 0 });
    expect(neighbour(model, { place: noLora, row: 0 }, 0, 1)).toEqual({ place: noLora, row: 1 });
    expect(neighbour(model, { place: noLora, row: 1 }, 1, 0)).toEqual({ place: { epoch: 2, weight: 0.5 }, row: 1 });
    expect(neighbour(model, { place: { epoch: 2, weight: 1 }, row: 1 }, 1, 1)).toEqual({ place: { epoch: 2, weight: 1 }, row: 1 });
  });

  it("scales scores between the worst and the best epoch", () => {
    const score = (epoch: number, combined: number) => ({ epoch, combined, likeness: 0, flexibility: 0, breakWeight: null });
    const verdict: Verdict = {
      epoch: 2,
      weight: 1,
      maxWeight: 1,
      sentence: "",
      reasons: [],
      alternatives: [],
      scores: [score(1, -1), score(2, 1), score(3, 0)],
    };
    expect([1, 2, 3, 4].map((epoch) => relativeScore(verdict, epoch))).toEqual([0, 1, 0.5, null]);
    expect(relativeScore(null, 1)).toBeNull();
  });
});
