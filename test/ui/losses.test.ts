import { describe, expect, it } from "vitest";
import { epochPoints, smoothLosses } from "../../ui/data/losses.js";

const evaluation = (epoch: number, trainLoss: number, heldOutLoss: number | null, drift: number) => ({
  epoch,
  trainLoss,
  heldOutLoss,
  drift,
  atWeights: [],
});

describe("the curves of a run", () => {
  it("start where the losses start, without a pull towards zero", () => {
    expect(smoothLosses([[1, 0.5]])).toEqual([0.5]);
    const flat = smoothLosses(Array.from({ length: 100 }, (_, step) => [step, 0.2]));
    for (const value of flat) expect(value).toBeCloseTo(0.2, 10);
  });

  it("jump less than the losses themselves", () => {
    const smooth = smoothLosses(Array.from({ length: 200 }, (_, step) => [step, step % 2]));
    expect(Math.max(...smooth.slice(50)) - Math.min(...smooth.slice(50))).toBeLessThan(0.2);
  });

  it("are told against the model without a LoRA", () => {
    const points = epochPoints([evaluation(1, 0.08, 0.09, 0.01), evaluation(0, 0.1, 0.1, 0)]);
    expect(points.map((point) => point.epoch)).toEqual([0, 1]);
    expect(points[1]?.train).toBeCloseTo(-20);
    expect(points[1]?.heldOut).toBeCloseTo(-10);
  });

  it("leave out what was not measured", () => {
    expect(epochPoints([evaluation(1, 0.08, null, 0.01)])[0]).toEqual({ epoch: 1, train: null, heldOut: null, drift: 0.01 });
  });
});
