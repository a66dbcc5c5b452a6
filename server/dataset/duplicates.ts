import { type Fingerprint, sameness } from "./fingerprint.js";
import { bitsOf, type HashBits, SAME_PICTURE } from "./hamming.js";
import { type HashIndex, openHashIndex } from "./hash-index.js";
import { compare } from "./list-folder.js";
import type { ScannedImage } from "./scan-folder.js";

/** `id` shows the same as the better picture `of`, or its mirror image. */
export type Duplicate = { id: string; of: string; mirrored: boolean };

/**
 * Pictures that repeat a better one. The better one has more pixels, then the longer caption, then more bytes, then the
 * smaller id; a picture that was found to repeat another is itself no model for a third.
 */
export function findDuplicates(images: readonly ScannedImage[]): Duplicate[] {
  const ranked = images.flatMap(hashed).sort((a, b) => better(a.image, b.image));
  const kept: Hashed[] = [];
  const index = openHashIndex(SAME_PICTURE);
  const duplicates: Duplicate[] = [];
  for (const one of ranked) {
    const match = matchOf(one, kept, index);
    if (match !== null) duplicates.push(match);
    else {
      kept.push(one);
      index.add(one.bits);
    }
  }
  return duplicates.sort((a, b) => compare(a.id, b.id));
}

type Hashed = { image: ScannedImage; fingerprint: Fingerprint; bits: HashBits; mirrored: HashBits };

function hashed(image: ScannedImage): Hashed[] {
  if (!image.facts.ok) return [];
  const { fingerprint } = image.facts;
  return [{ image, fingerprint, bits: bitsOf(fingerprint.phash), mirrored: bitsOf(fingerprint.mirrored) }];
}

/** The hashes alone tell nearly all pairs apart; the rest is looked at closely, the best picture first. */
function matchOf({ image, fingerprint, bits, mirrored }: Hashed, kept: readonly Hashed[], index: HashIndex): Duplicate | null {
  const candidates = [...new Set([...index.near(bits), ...index.near(mirrored)])].sort((a, b) => a - b);
  for (const number of candidates) {
    const other = kept[number];
    const kind = other === undefined ? null : sameness(fingerprint, other.fingerprint);
    if (other !== undefined && kind !== null) return { id: image.id, of: other.image.id, mirrored: kind === "mirrored" };
  }
  return null;
}

function better(a: ScannedImage, b: ScannedImage): number {
  const pixels = (image: ScannedImage) => image.facts.width * image.facts.height;
  const words = (image: ScannedImage) => image.caption?.text.length ?? 0;
  return pixels(b) - pixels(a) || words(b) - words(a) || b.bytes - a.bytes || compare(a.id, b.id);
}
