import { bitsOf, hamming, SAME_PICTURE } from "./hamming.js";

/** What tells whether two pictures show the same: a perceptual hash, that of the mirrored picture, and two coarse pictures. */
export type Fingerprint = {
  /** 64 bits as 16 hex digits. */
  phash: string;
  mirrored: string;
  /** 4 × 4 mean colours, RGB, row by row, as 96 hex digits. */
  colours: string;
  /** 16 × 16 grey means, row by row, as 512 hex digits. */
  detail: string;
  /** True for a picture of (nearly) one tone, whose hash is noise. */
  flat: boolean;
};

const SIDE = 32;
const KEPT = 8;
const COLOUR_SIDE = 4;
const DETAIL_SIDE = 16;

/**
 * Fingerprint of 8-bit RGB pixels, `width` × `height` of at least 4 × 4: box-averaged to 32 × 32 grey, cosine transform, the 8 × 8
 * lowest frequencies against their median. Mirroring only changes the sign of the odd horizontal frequencies.
 */
export function fingerprint(pixels: Uint8Array, width: number, height: number): Fingerprint {
  const rgb = shrink(pixels, width, height);
  const grey = Float64Array.from(
    { length: SIDE * SIDE },
    (_, i) => 0.299 * at(rgb, 3 * i) + 0.587 * at(rgb, 3 * i + 1) + 0.114 * at(rgb, 3 * i + 2),
  );
  const frequencies = lowFrequencies(grey);
  const flipped = frequencies.map((value, i) => (i % 2 === 1 ? -value : value));
  const energy = frequencies.slice(1).reduce((sum, value) => sum + value * value, 0);
  return {
    phash: hashOf(frequencies),
    mirrored: hashOf(flipped),
    colours: hexOf(boxes(rgb, COLOUR_SIDE, 3)),
    detail: hexOf(boxes(grey, DETAIL_SIDE, 1)),
    flat: energy < FLAT_ENERGY,
  };
}

/**
 * "same", "mirrored" or null. A close hash alone is not believed: it sees no colour (a red and a blue coat) and little of
 * where things lie inside one pose, so the coarse pictures have to agree as well.
 */
export function sameness(a: Fingerprint, b: Fingerprint): "same" | "mirrored" | null {
  const bits = bitsOf(b.phash);
  const isClose = hamming(bitsOf(a.phash), bits) <= SAME_PICTURE;
  const isMirrored = hamming(bitsOf(a.mirrored), bits) <= SAME_PICTURE;
  if (!isClose && !isMirrored) return null;
  const [colours, otherColours, detail, otherDetail] = [a.colours, b.colours, a.detail, b.detail].map((hex) => Buffer.from(hex, "hex"));
  if (colours === undefined || otherColours === undefined || detail === undefined || otherDetail === undefined) return null;
  if (a.flat || b.flat) return meanDifference(colours, otherColours) <= FLAT_TOLERANCE ? "same" : null;
  if (isClose && correlation(detail, otherDetail) >= MIN_CORRELATION && alike(colours, otherColours)) return "same";
  const flopped = () => correlation(flop(detail, DETAIL_SIDE, 1), otherDetail) >= MIN_CORRELATION;
  return isMirrored && flopped() && alike(flop(colours, COLOUR_SIDE, 3), otherColours) ? "mirrored" : null;
}

// One hundredth of what a faint gradient over the picture has.
const FLAT_ENERGY = 50;
const FLAT_TOLERANCE = 3;
const MAX_CHROMA = 12;
const MAX_LUMA = 48;
// Measured: recompressed, halved and brightened copies stay above 0.977, other poses of one drawn figure below 0.86.
const MIN_CORRELATION = 0.96;

function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? 0;
}

function hexOf(values: Float64Array): string {
  return Buffer.from(values.map(Math.round)).toString("hex");
}

/** Mean colours of 32 × 32 boxes in one walk over the pixels; a picture narrower than that lends a pixel to several boxes. */
function shrink(pixels: Uint8Array, width: number, height: number): Float64Array {
  if (width < SIDE || height < SIDE) return shrink(enlarge(pixels, width, height), 2 * width, 2 * height);
  const sums = new Float64Array(SIDE * SIDE * 3);
  const edgeOf = (box: number, length: number) => Math.floor((box * length) / SIDE);
  for (let y = 0; y < height; y++) {
    const row = SIDE * Math.floor(((y + 1) * SIDE - 1) / height);
    for (let column = 0, i = 3 * y * width; column < SIDE; column++) {
      const end = 3 * (y * width + edgeOf(column + 1, width));
      let [red, green, blue] = [0, 0, 0];
      // Not through a shared accessor, which many kinds of array would make ten times slower.
      for (; i < end; i += 3) {
        red += pixels[i] ?? 0;
        green += pixels[i + 1] ?? 0;
        blue += pixels[i + 2] ?? 0;
      }
      const box = 3 * (row + column);
      sums[box] = (sums[box] ?? 0) + red;
      sums[box + 1] = (sums[box + 1] ?? 0) + green;
      sums[box + 2] = (sums[box + 2] ?? 0) + blue;
    }
  }
  const spanOf = (box: number, length: number) => edgeOf(box + 1, length) - edgeOf(box, length);
  return sums.map((sum, i) => sum / (spanOf(Math.floor(i / 3 / SIDE), height) * spanOf(Math.floor(i / 3) % SIDE, width)));
}

/** Twice as large, each pixel four times. */
function enlarge(pixels: Uint8Array, width: number, height: number): Uint8Array {
  const result = new Uint8Array(width * height * 12);
  for (let y = 0; y < 2 * height; y++) {
    for (let x = 0; x < 2 * width; x++) {
      const from = 3 * ((y >> 1) * width + (x >> 1));
      result.set(pixels.subarray(from, from + 3), 3 * (2 * width * y + x));
    }
  }
  return result;
}

/** Means of the boxes of a side × side division of 32 × 32 values of so many channels. */
function boxes(values: Float64Array, side: number, channels: 1 | 3): Float64Array {
  const result = new Float64Array(side * side * channels);
  const span = SIDE / side;
  for (let i = 0; i < values.length; i++) {
    const pixel = Math.floor(i / channels);
    const box = channels * (Math.floor(pixel / SIDE / span) * side + Math.floor((pixel % SIDE) / span)) + (i % channels);
    result[box] = (result[box] ?? 0) + (values[i] ?? 0) / (span * span);
  }
  return result;
}

const COSINES = Float64Array.from({ length: KEPT * SIDE }, (_, i) =>
  Math.cos(((2 * (i % SIDE) + 1) * Math.floor(i / SIDE) * Math.PI) / (2 * SIDE)),
);

/** The 8 × 8 lowest frequencies of a 32 × 32 picture, rows by vertical frequency. */
function lowFrequencies(grey: Float64Array): number[] {
  const rows = new Float64Array(SIDE * KEPT);
  for (let y = 0; y < SIDE; y++) {
    for (let u = 0; u < KEPT; u++) {
      let sum = 0;
      for (let x = 0; x < SIDE; x++) sum += (grey[y * SIDE + x] ?? 0) * (COSINES[u * SIDE + x] ?? 0);
      rows[y * KEPT + u] = sum;
    }
  }
  const result = new Array<number>(KEPT * KEPT);
  for (let v = 0; v < KEPT; v++) {
    for (let u = 0; u < KEPT; u++) {
      let sum = 0;
      for (let y = 0; y < SIDE; y++) sum += (rows[y * KEPT + u] ?? 0) * (COSINES[v * SIDE + y] ?? 0);
      // Whole numbers, so that rounding noise of a flat picture sets no bits.
      result[v * KEPT + u] = Math.round(sum / SIDE);
    }
  }
  return result;
}

/** Bits of the frequencies above their median; the mean tone (the first) has no say in the median. */
function hashOf(frequencies: readonly number[]): string {
  const sorted = frequencies.slice(1).sort((a, b) => a - b);
  const median = at(sorted, Math.floor(sorted.length / 2));
  let hex = "";
  for (let i = 0; i < frequencies.length; i += 4) {
    let digit = 0;
    for (let bit = 0; bit < 4; bit++) if (at(frequencies, i + bit) > median) digit |= 8 >> bit;
    hex += digit.toString(16);
  }
  return hex;
}

function flop(values: Buffer, side: number, channels: number): Buffer {
  const result = Buffer.alloc(values.length);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const mirror = channels * ((row + 1) * side - 1 - column);
      values.copy(result, channels * (row * side + column), mirror, mirror + channels);
    }
  }
  return result;
}

/** Pearson's, -1…1; blind to brightness and contrast. */
function correlation(a: Buffer, b: Buffer): number {
  const meanA = a.reduce((sum, value) => sum + value, 0) / a.length;
  const meanB = b.reduce((sum, value) => sum + value, 0) / b.length;
  let both = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    const fromA = at(a, i) - meanA;
    const fromB = at(b, i) - meanB;
    both += fromA * fromB;
    squaresA += fromA * fromA;
    squaresB += fromB * fromB;
  }
  return both / Math.sqrt(squaresA * squaresB);
}

function meanDifference(a: Buffer, b: Buffer): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(at(a, i) - at(b, i));
  return sum / a.length;
}

/** True when chroma agrees and brightness differs by no more than another exposure would. */
function alike(a: Buffer, b: Buffer): boolean {
  let chroma = 0;
  let luma = 0;
  const boxCount = a.length / 3;
  for (let i = 0; i < a.length; i += 3) {
    const red = at(a, i) - at(b, i);
    const green = at(a, i + 1) - at(b, i + 1);
    const blue = at(a, i + 2) - at(b, i + 2);
    luma += Math.abs(red + green + blue) / 3;
    chroma += (Math.abs(red - green) + Math.abs(blue - green)) / 2;
  }
  return chroma / boxCount <= MAX_CHROMA && luma / boxCount <= MAX_LUMA;
}
