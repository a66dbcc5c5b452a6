import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shareCost, sharesOf, solveShares, type WantedShare } from "../../../server/plan/shares.js";

describe("shares of the subsets", () => {
  test("70 % good and 30 % weak become whole repeats near both, and near the steps", () => {
    const repeats = solveShares(
      sharesOf(
        [
          { name: "good", images: 20 },
          { name: "weak", images: 40 },
        ],
        { good: 70, weak: 30 },
      ),
      250,
    );
    expect([...repeats]).toEqual([
      ["good", 9],
      ["weak", 2],
    ]);
  });

  test("agree with trying every combination", () => {
    const subset = fc.record({ images: fc.integer({ min: 4, max: 40 }), weight: fc.integer({ min: 1, max: 10 }) });
    fc.assert(
      fc.property(fc.array(subset, { minLength: 1, maxLength: 3 }), fc.integer({ min: 5, max: 40 }), (drawn, samples) => {
        const weights = drawn.reduce((sum, { weight }) => sum + weight, 0);
        const subsets = drawn.map(({ images, weight }, index): WantedShare => ({ name: String(index), images, share: weight / weights }));
        const solved = [...solveShares(subsets, samples).values()];
        expect(shareCost(subsets, solved, samples)).toBeCloseTo(leastCost(subsets, samples), 10);
      }),
      { numRuns: 25 },
    );
  });

  test("of many subsets are solved at once, and no subset is left without a sample", () => {
    const subsets = Array.from({ length: 40 }, (_, index) => ({ name: String(index), images: 1 + (index % 9) * 7, share: 1 / 40 }));
    const solved = solveShares(subsets, 4000);
    expect([...solved.values()].every((repeats) => repeats >= 1)).toBe(true);
    expect(shareCost(subsets, [...solved.values()], 4000)).toBeLessThan(0.02);
  });

  test("that are not given are what is left, by pictures", () => {
    const shares = sharesOf(
      [
        { name: "a", images: 10 },
        { name: "b", images: 30 },
        { name: "c", images: 7 },
      ],
      { c: 60 },
    );
    expect(shares.map(({ share }) => share)).toEqual([0.1, 0.3, 0.6]);
  });

  test.each([
    [{ a: 70, b: 50 }, "to be 100 % together, but they are 120 %"],
    [{ a: 100 }, "to leave some for b, but they are 100 %"],
  ])("%j are refused with a sentence", (percents, words) => {
    const subsets = [
      { name: "a", images: 1 },
      { name: "b", images: 1 },
    ];
    expect(() => sharesOf(subsets, percents)).toThrow(words);
  });
});

/** The least cost of all repeats up to one that no good answer needs. */
function leastCost(subsets: readonly WantedShare[], samples: number): number {
  const most = subsets.map(({ images }) => Math.ceil((6 * samples) / images) + 3);
  let least = Number.POSITIVE_INFINITY;
  const tryAll = (chosen: readonly number[]): void => {
    const limit = most[chosen.length];
    if (limit === undefined) {
      least = Math.min(least, shareCost(subsets, chosen, samples));
      return;
    }
    for (let repeats = 1; repeats <= limit; repeats++) tryAll([...chosen, repeats]);
  };
  tryAll([]);
  return least;
}
