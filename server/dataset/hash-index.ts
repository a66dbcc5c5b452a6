import { type HashBits, hamming } from "./hamming.js";

/** Finds among many 64-bit hashes those that are near one, without comparing all pairs. */
export type HashIndex = {
  /** Takes a hash in; its number is how many were taken in before. */
  add(bits: HashBits): void;
  /** Numbers of the hashes at most `maxDistance` bits away, in ascending order. */
  near(bits: HashBits): number[];
};

/**
 * Two hashes that differ in at most d bits agree wholly in at least one of d + 1 bands, so that only those of equal bands are compared
 * (Norouzi, Punjani, Fleet: Fast search in Hamming space with multi-index hashing). `maxDistance` 0–31.
 */
export function openHashIndex(maxDistance: number): HashIndex {
  const bands = bandsOf(maxDistance + 1);
  const tables = bands.map(() => new Map<number, number[]>());
  const hashes: HashBits[] = [];
  const seenAt: number[] = [];
  let query = 0;
  return {
    add(bits) {
      for (const [i, band] of bands.entries()) {
        const key = keyOf(bits, band);
        const bucket = tables[i]?.get(key);
        if (bucket === undefined) tables[i]?.set(key, [hashes.length]);
        else bucket.push(hashes.length);
      }
      hashes.push(bits);
      seenAt.push(0);
    },
    near(bits) {
      const found: number[] = [];
      query += 1;
      for (const [i, band] of bands.entries()) {
        for (const number of tables[i]?.get(keyOf(bits, band)) ?? []) {
          if (seenAt[number] === query) continue;
          seenAt[number] = query;
          const other = hashes[number];
          if (other !== undefined && hamming(bits, other) <= maxDistance) found.push(number);
        }
      }
      return found.sort((a, b) => a - b);
    },
  };
}

type Band = { from: number; width: number };

/** The 64 bits cut into so many bands whose widths differ by one at most. */
function bandsOf(count: number): Band[] {
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((64 * i) / count);
    return { from, width: Math.floor((64 * (i + 1)) / count) - from };
  });
}

/** Bits `from` … of the hash, counted from its lowest; a band may lie across both words. */
function keyOf({ high, low }: HashBits, { from, width }: Band): number {
  if (width >= 32) return from === 0 ? low : high;
  const mask = (1 << width) - 1;
  if (from >= 32) return (high >>> (from - 32)) & mask;
  const lower = low >>> from;
  return (from + width <= 32 ? lower : lower | (high << (32 - from))) & mask;
}
