import { sameness } from "./fingerprint.js";
import { compare } from "./list-folder.js";
import type { ScannedImage } from "./scan-folder.js";

/** `id` shows the same as the better picture `of`, or its mirror image. */
export type Duplicate = { id: string; of: string; mirrored: boolean };

/**
 * Pictures that repeat a better one. The better one has more pixels, then the longer caption, then more bytes, then the
 * smaller id; a picture that was found to repeat another is itself no model for a third.
 */
export function findDuplicates(images: readonly ScannedImage[]): Duplicate[] {
  const ranked = images.filter((image) => image.facts.ok).sort(better);
  const kept: ScannedImage[] = [];
  const duplicates: Duplicate[] = [];
  for (const image of ranked) {
    const match = matchOf(image, kept);
    if (match === null) kept.push(image);
    else duplicates.push(match);
  }
  return duplicates.sort((a, b) => compare(a.id, b.id));
}

function matchOf(image: ScannedImage, kept: readonly ScannedImage[]): Duplicate | null {
  for (const other of kept) {
    const kind = image.facts.ok && other.facts.ok ? sameness(image.facts.fingerprint, other.facts.fingerprint) : null;
    if (kind !== null) return { id: image.id, of: other.id, mirrored: kind === "mirrored" };
  }
  return null;
}

function better(a: ScannedImage, b: ScannedImage): number {
  const pixels = (image: ScannedImage) => image.facts.width * image.facts.height;
  const words = (image: ScannedImage) => image.caption?.text.length ?? 0;
  return pixels(b) - pixels(a) || words(b) - words(a) || b.bytes - a.bytes || compare(a.id, b.id);
}
