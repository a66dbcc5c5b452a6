import { describe, expect, it } from "vitest";
import { fMeasure } from "../../../server/grid/verdict-scores.js";

describe("the F-measure", () => {
  it("is 0 for nothing, 1 for all, and follows recall at beta 2", () => {
    expect(fMeasure(0, 0, 2)).toBe(0);
    expect(fMeasure(1, 1, 2)).toBe(1);
    expect(fMeasure(0.5, 1, 2)).toBeGreaterThan(fMeasure(1, 0.5, 2));
    expect(fMeasure(0.5, 1, 1)).toBeCloseTo(fMeasure(1, 0.5, 1));
  });
});
