/** What tells whether two pictures show the same: a perceptual hash, that of the mirrored picture, and coarse colours. */
export type Fingerprint = {
  /** 64 bits as 16 hex digits. */
  phash: string;
  mirrored: string;
  /** 4 × 4 mean colours, RGB, row by row, as 96 hex digits. */
  colours: string;
  /** True for a picture of (nearly) one tone, whose hash is noise. */
  flat: boolean;
};

const SIDE = 32;
const KEPT = 8;
const COLOUR_SIDE = 4;

/** Hamming distance up to which two pictures count as the same one. */
export const SAME_PICTURE = 4;

/**
 * Fingerprint of 8-bit RGB pixels, `width` × `height` of at least 4 × 4: box-averaged to 32 × 32 grey, cosine transform, the 8 × 8
 * lowest frequencies against their median. Mirroring only changes the sign of the odd horizontal frequencies.
 */
export function fingerprint(pixels: Uint8Array, width: number, height: number): Fingerprint {
  const rgb = boxes(pixels, width, height, SIDE);
  const grey = new Float64Array(SIDE * SIDE);
  for (let i = 0; i < grey.length; i++) grey[i] = 0.299 * at(rgb, 3 * i) + 0.587 * at(rgb, 3 * i + 1) + 0.114 * at(rgb, 3 * i + 2);
  const frequencies = lowFrequencies(grey);
  const flipped = frequencies.map((value, i) => (i % 2 === 1 ? -value : value));
  const energy = frequencies.slice(1).reduce((sum, value) => sum + value * value, 0);
  return {
    phash: hashOf(frequencies),
    mirrored: hashOf(flipped),
    colours: Buffer.from(boxes(pixels, width, height, COLOUR_SIDE).map(Math.round)).toString("hex"),
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

/** "same", "mirrored" or null. The hash sees no colour, so a red and a blue coat are told apart by the coarse colours. */
export function sameness(a: Fingerprint, b: Fingerprint): "same" | "mirrored" | null {
  const mirror = hamming(a.mirrored, b.phash) <= SAME_PICTURE;
  if (hamming(a.phash, b.phash) > SAME_PICTURE && !mirror) return null;
  const straight = Buffer.from(a.colours, "hex");
  const other = Buffer.from(b.colours, "hex");
  if (a.flat || b.flat) return meanDifference(straight, other) <= FLAT_TOLERANCE ? "same" : null;
  if (hamming(a.phash, b.phash) <= SAME_PICTURE && alike(straight, other)) return "same";
  return mirror && alike(flop(straight), other) ? "mirrored" : null;
}

// One hundredth of what a faint gradient over the picture has.
const FLAT_ENERGY = 50;
const FLAT_TOLERANCE = 3;
const MAX_CHROMA = 12;
const MAX_LUMA = 48;

function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? 0;
}

/** Mean colours of side × side boxes; a picture smaller than that lends a pixel to several boxes. */
function boxes(pixels: Uint8Array, width: number, height: number, side: number): Float64Array {
  const result = new Float64Array(side * side * 3);
  for (let row = 0; row < side; row++) {
    const top = Math.floor((row * height) / side);
    const bottom = Math.max(top + 1, Math.floor(((row + 1) * height) / side));
    for (let column = 0; column < side; column++) {
      const left = Math.floor((column * width) / side);
      const right = Math.max(left + 1, Math.floor(((column + 1) * width) / side));
      meanOf(pixels, width, { left, right, top, bottom }, result, 3 * (row * side + column));
    }
  }
  return result;
}

type Box = { left: number; right: number; top: number; bottom: number };

function meanOf(pixels: Uint8Array, width: number, box: Box, into: Float64Array, offset: number): void {
  let red = 0;
  let green = 0;
  let blue = 0;
  for (let y = box.top; y < box.bottom; y++) {
    const end = 3 * (y * width + box.right);
    for (let i = 3 * (y * width + box.left); i < end; i += 3) {
      red += at(pixels, i);
      green += at(pixels, i + 1);
      blue += at(pixels, i + 2);
    }
  }
  const count = (box.bottom - box.top) * (box.right - box.left);
  into[offset] = red / count;
  into[offset + 1] = green / count;
  into[offset + 2] = blue / count;
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

function flop(colours: Buffer): Buffer {
  const result = Buffer.alloc(colours.length);
  for (let row = 0; row < COLOUR_SIDE; row++) {
    for (let column = 0; column < COLOUR_SIDE; column++) {
      colours.copy(result, 3 * (row * COLOUR_SIDE + column), 3 * ((row + 1) * COLOUR_SIDE - 1 - column), 3 * ((row + 1) * COLOUR_SIDE - column));
    }
  }
  return result;
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
