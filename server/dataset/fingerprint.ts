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

/** Hamming distance up to which two pictures count as the same one. */
export const SAME_PICTURE = 4;

/**
 * Fingerprint of 8-bit RGB pixels, `width` × `height` of at least 4 × 4: box-averaged to 32 × 32 grey, cosine transform, the 8 × 8
 * lowest frequencies against their median. Mirroring only changes the sign of the odd horizontal frequencies.
 */
export function fingerprint(pixels: Uint8Array, width: number, height: number): Fingerprint {
  const rgb = boxes(pixels, width, height, SIDE, 3);
  const grey = Float64Array.from({ length: SIDE * SIDE }, (_, i) => 0.299 * at(rgb, 3 * i) + 0.587 * at(rgb, 3 * i + 1) + 0.114 * at(rgb, 3 * i + 2));
  const frequencies = lowFrequencies(grey);
  const flipped = frequencies.map((value, i) => (i % 2 === 1 ? -value : value));
  const energy = frequencies.slice(1).reduce((sum, value) => sum + value * value, 0);
  return {
    phash: hashOf(frequencies),
    mirrored: hashOf(flipped),
    colours: hexOf(boxes(rgb, SIDE, SIDE, COLOUR_SIDE, 3)),
    detail: hexOf(boxes(grey, SIDE, SIDE, DETAIL_SIDE, 1)),
    flat: energy < FLAT_ENERGY,
  };
}

/** Bits that differ between two hashes of `fingerprint`, 0–64. */
export function hamming(a: string, b: string): number {
  let bits = 0;
  for (let i = 0; i < 16; i += 8) {
    let diff = (Number.parseInt(a.slice(i, i + 8), 16) ^ Number.parseInt(b.slice(i, i + 8), 16)) >>> 0;
    for (; diff !== 0; diff &= diff - 1) bits++;
  }
  return bits;
}

/**
 * "same", "mirrored" or null. A close hash alone is not believed: it sees no colour (a red and a blue coat) and little of
 * where things lie inside one pose, so the coarse pictures have to agree as well.
 */
export function sameness(a: Fingerprint, b: Fingerprint): "same" | "mirrored" | null {
  const isClose = hamming(a.phash, b.phash) <= SAME_PICTURE;
  const isMirrored = hamming(a.mirrored, b.phash) <= SAME_PICTURE;
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

/** Means of side × side boxes, channel by channel; a picture smaller than that lends a pixel to several boxes. */
function boxes(pixels: ArrayLike<number>, width: number, height: number, side: number, channels: 1 | 3): Float64Array {
  const result = new Float64Array(side * side * channels);
  for (let row = 0; row < side; row++) {
    const top = Math.floor((row * height) / side);
    const bottom = Math.max(top + 1, Math.floor(((row + 1) * height) / side));
    for (let column = 0; column < side; column++) {
      const left = Math.floor((column * width) / side);
      const right = Math.max(left + 1, Math.floor(((column + 1) * width) / side));
      const count = (bottom - top) * (right - left);
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let y = top; y < bottom; y++) {
          const end = channels * (y * width + right);
          for (let i = channels * (y * width + left) + channel; i < end; i += channels) sum += at(pixels, i);
        }
        result[channels * (row * side + column) + channel] = sum / count;
      }
    }
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
      for (let x = 0; x < SIDE; x++) sum += at(grey, y * SIDE + x) * at(COSINES, u * SIDE + x);
      rows[y * KEPT + u] = sum;
    }
  }
  const result = new Array<number>(KEPT * KEPT);
  for (let v = 0; v < KEPT; v++) {
    for (let u = 0; u < KEPT; u++) {
      let sum = 0;
      for (let y = 0; y < SIDE; y++) sum += at(rows, y * KEPT + u) * at(COSINES, v * SIDE + y);
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
