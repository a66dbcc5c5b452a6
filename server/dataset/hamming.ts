/** A 64-bit hash as two words, so that millions of pairs can be compared. */
export type HashBits = { high: number; low: number };

/** The bits of 16 hex digits. */
export function bitsOf(hash: string): HashBits {
  return { high: Number.parseInt(hash.slice(0, 8), 16) | 0, low: Number.parseInt(hash.slice(8, 16), 16) | 0 };
}

/** Bits that differ between two hashes, 0–64. */
export function hamming(a: HashBits, b: HashBits): number {
  return onesOf(a.high ^ b.high) + onesOf(a.low ^ b.low);
}

/** Hamming distance up to which two pictures count as the same one. */
export const SAME_PICTURE = 4;

/** Adds the bits of a word up in pairs, nibbles and bytes (Warren, Hacker's Delight). */
function onesOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
