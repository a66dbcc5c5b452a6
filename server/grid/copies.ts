import { cropPicture, flipPicture, type Picture } from "./picture.js";
import { colourDistance, correlation, hammingDistance, type Thumbprint, thumbprint } from "./thumbprint.js";

/** How close a picture must come to a training picture to count as its copy. */
export type CopyLimits = { hamming: number; correlation: number; colour: number };

export type CopyTest = { prints: Thumbprint[]; limits: CopyLimits };

/**
 * Prepares the search for copies: each training picture also mirrored and cropped to its middle. The limits are those of
 * a copy among photos (dHash ≤ 10 bits, correlation ≥ 0.92), tightened until the training pictures are no copies of each
 * other: thirty drawings of one figure on plain paper are alike without being copied.
 */
export function makeCopyTest(training: readonly Picture[]): CopyTest {
  const originals = training.map(thumbprint);
  const prints = training.flatMap((picture, index) => {
    const middle = middleOf(picture);
    return [originals[index], thumbprint(flipPicture(picture)), thumbprint(middle), thumbprint(flipPicture(middle))].filter(
      (print) => print !== undefined,
    );
  });
  return { prints, limits: calibrate(originals) };
}

/**
 * True when a cell copies a training picture and the cell without LoRA of the same prompt and seed, which can't have
 * seen it, does not come as close.
 */
export function isCopy(cell: Thumbprint, base: Thumbprint | null, { prints, limits }: CopyTest): boolean {
  return prints.some((print) => {
    const close = hammingDistance(cell, print) <= limits.hamming && correlation(cell, print) >= LOOSE_CORRELATION;
    if (!close && correlation(cell, print) < limits.correlation) return false;
    if (colourDistance(cell, print) > limits.colour) return false;
    return base === null || colourDistance(cell, print) < BASE_SHARE * colourDistance(base, print);
  });
}

const PHOTO: CopyLimits = { hamming: 10, correlation: 0.92, colour: 32 };
/** A hash of 64 bits alone calls plain pictures alike. */
const LOOSE_CORRELATION = 0.8;
const BASE_SHARE = 0.7;
/** A copy is this much closer to its original than the training pictures usually are to each other. */
const CLOSER = 0.5;
const MIDDLE = 0.8;

function middleOf(picture: Picture): Picture {
  const width = Math.max(1, Math.round(picture.width * MIDDLE));
  const height = Math.max(1, Math.round(picture.height * MIDDLE));
  return cropPicture(picture, {
    left: Math.floor((picture.width - width) / 2),
    top: Math.floor((picture.height - height) / 2),
    width,
    height,
  });
}

function calibrate(prints: readonly Thumbprint[]): CopyLimits {
  if (prints.length < 3) return PHOTO;
  const nearest = prints.map((print) => {
    const others = prints.filter((other) => other !== print);
    return {
      hamming: Math.min(...others.map((other) => hammingDistance(print, other))),
      apart: 1 - Math.max(...others.map((other) => correlation(print, other))),
      colour: Math.min(...others.map((other) => colourDistance(print, other))),
    };
  });
  return {
    hamming: Math.min(PHOTO.hamming, Math.floor(CLOSER * median(nearest.map((one) => one.hamming)))),
    correlation: Math.max(PHOTO.correlation, 1 - CLOSER * median(nearest.map((one) => one.apart))),
    colour: Math.min(PHOTO.colour, Math.max(LEAST_COLOUR, CLOSER * median(nearest.map((one) => one.colour)))),
  };
}

/** Encoding and decoding by the VAE alone moves the colours this far. */
const LEAST_COLOUR = 8;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
