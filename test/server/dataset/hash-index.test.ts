import { describe, expect, test } from "vitest";
import { type HashBits, hamming } from "../../../server/dataset/hamming.js";
import { openHashIndex } from "../../../server/dataset/hash-index.js";

describe("an index of hashes", () => {
  test.each([0, 1, 4, 10])("finds exactly what comparing all pairs finds up to %i bits away", (maxDistance) => {
    const hashes = Array.from({ length: 400 }, (_, i) => randomHash(i % 5 === 0 ? i : 7 * Math.floor(i / 5), i % 5));
    const index = openHashIndex(maxDistance);
    for (const bits of hashes) index.add(bits);
    for (const bits of hashes)
      expect(index.near(bits)).toEqual(hashes.flatMap((other, number) => (hamming(bits, other) <= maxDistance ? [number] : [])));
  });
});

/** A hash of the seed with some of its bits turned over. */
function randomHash(seed: number, turned: number): HashBits {
  let high = Math.imul(seed + 1, 0x9e3779b1);
  const low = Math.imul(seed + 1, 0x85ebca6b);
  for (let bit = 0; bit < 2 * turned; bit++) high ^= 1 << ((seed + 5 * bit) % 32);
  return { high, low };
}
