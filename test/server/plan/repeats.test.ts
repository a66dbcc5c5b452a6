import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { solveRepeats } from "../../../server/plan/repeats.js";
import { saveNames } from "../../../server/plan/save-names.js";

const target = { targetSteps: 2500, batchSize: 1, epochs: 10 };

describe("repeats", () => {
  test.each([
    [61, { targetSteps: 3500, batchSize: 1, epochs: 10 }, 6],
    [36, target, 7],
    [50, { targetSteps: 1000, batchSize: 2, epochs: 4 }, 10],
    [25, { targetSteps: 2500, batchSize: 1, epochs: 10 }, 10],
    [3000, target, 1],
  ])("of %i pictures in one folder are steps × batch / epochs / pictures, rounded up", (images, goal, repeats) => {
    expect(solveRepeats([{ name: "x", images, repeats: 5 }], goal).get("x")).toBe(repeats);
  });

  test("of equal folders are equal, whatever their number", () => {
    expect([
      ...solveRepeats(
        [
          { name: "a", images: 20, repeats: 10 },
          { name: "b", images: 16, repeats: 10 },
        ],
        target,
      ).values(),
    ]).toEqual([7, 7]);
  });

  test("keep good folders ahead of weak ones in their proportion", () => {
    const repeats = solveRepeats(
      [
        { name: "good", images: 20, repeats: 10 },
        { name: "weak", images: 20, repeats: 5 },
      ],
      target,
    );
    expect([...repeats.values()]).toEqual([8, 4]);
    const coarse = solveRepeats(
      [
        { name: "good", images: 20, repeats: 10 },
        { name: "weak", images: 20, repeats: 7 },
      ],
      target,
    );
    expect([...coarse.values()]).toEqual([7, 5]);
  });

  test("come within half a repeat of each folder's share of the target", () => {
    const subset = fc.record({ images: fc.integer({ min: 1, max: 300 }), repeats: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(fc.array(subset, { minLength: 2, maxLength: 4 }), fc.integer({ min: 100, max: 5000 }), (subsets, targetSteps) => {
        const named = subsets.map((one, index) => ({ ...one, name: String(index) }));
        const solved = solveRepeats(named, { targetSteps, batchSize: 1, epochs: 1 });
        const total = named.reduce((sum, { images, repeats }) => sum + images * repeats, 0);
        const exact = named.map(({ repeats }) => (targetSteps * repeats) / total);
        const reached = named.reduce((sum, { name, images }) => sum + images * (solved.get(name) ?? 0), 0);
        const isClose = Math.abs(reached - targetSteps) <= 0.1 * targetSteps;
        const isRounded = named.every(
          ({ name }, index) => Math.abs((solved.get(name) ?? 0) - (exact[index] ?? 0)) <= 0.5 || solved.get(name) === 1,
        );
        const isEqual = named.every(({ repeats }) => repeats === named[0]?.repeats);
        expect(isClose || isRounded || isEqual).toBe(true);
      }),
    );
  });
});

test("the last epoch's file carries the bare name, earlier ones kohya's six digits", () => {
  expect(saveNames("miku", 3)).toEqual(["miku-000001.safetensors", "miku-000002.safetensors", "miku.safetensors"]);
  expect(saveNames("miku", 1)).toEqual(["miku.safetensors"]);
});
