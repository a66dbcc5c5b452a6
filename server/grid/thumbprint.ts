import type { Picture } from "./picture.js";

/** A picture in small: 32 × 32 luma with mean 0 and length 1, 16 × 16 RGB, and a 64-bit difference hash. */
export type Thumbprint = { luma: Float32Array; rgb: Float32Array; hash: Uint8Array };

const LUMA_SIDE = 32;
const RGB_SIDE = 16;

export function thumbprint(picture: Picture): Thumbprint {
  const luma = greyOf(shrink(picture, LUMA_SIDE, LUMA_SIDE));
  return { luma: normalized(luma), rgb: shrink(picture, RGB_SIDE, RGB_SIDE), hash: differenceHash(greyOf(shrink(picture, 9, 8))) };
}

/** Zero-mean normalised cross-correlation of two lumas, −1 to 1; 0 where one of them is flat. */
export function correlation(a: Thumbprint, b: Thumbprint): number {
  let sum = 0;
  for (let index = 0; index < a.luma.length; index++) sum += (a.luma[index] ?? 0) * (b.luma[index] ?? 0);
  return sum;
}

/** Bits of 64 in which the difference hashes differ. */
export function hammingDistance(a: Thumbprint, b: Thumbprint): number {
  let bits = 0;
  for (let index = 0; index < a.hash.length; index++) if (a.hash[index] !== b.hash[index]) bits += 1;
  return bits;
}

/** Mean absolute difference of the 16 × 16 thumbnails in grey levels, 0–255. */
export function colourDistance(a: Thumbprint, b: Thumbprint): number {
  let sum = 0;
  for (let index = 0; index < a.rgb.length; index++) sum += Math.abs((a.rgb[index] ?? 0) - (b.rgb[index] ?? 0));
  return sum / a.rgb.length;
}

/**
 * How much of another picture it is, 0 (same forms and colours) to about 1 (nothing in common): 1 − correlation of the
 * 16 × 16 thumbnails, each channel with its mean taken off. A change of light or of the whole colour counts little.
 */
export function changeOfPicture(a: Thumbprint, b: Thumbprint): number {
  const first = centred(a.rgb);
  const second = centred(b.rgb);
  let sum = 0;
  for (let index = 0; index < first.length; index++) sum += (first[index] ?? 0) * (second[index] ?? 0);
  const lengths = lengthOf(first) * lengthOf(second);
  // Two pictures of one colour each are alike; one of them against a real picture is not.
  return lengths === 0 ? Number(lengthOf(first) !== lengthOf(second)) : 1 - sum / lengths;
}

function centred(rgb: Float32Array): Float32Array {
  const means = [0, 0, 0];
  for (const [index, value] of rgb.entries()) means[index % 3] = (means[index % 3] ?? 0) + value / (rgb.length / 3);
  return rgb.map((value, index) => value - (means[index % 3] ?? 0));
}

function lengthOf(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

/** Mean over the source pixels of each target pixel; a source smaller than the target repeats its pixels. */
function shrink({ width, height, data }: Picture, columns: number, rows: number): Float32Array {
  const result = new Float32Array(columns * rows * 3);
  for (let row = 0; row < rows; row++) {
    const top = Math.floor((row * height) / rows);
    const bottom = Math.max(top + 1, Math.floor(((row + 1) * height) / rows));
    for (let column = 0; column < columns; column++) {
      const left = Math.floor((column * width) / columns);
      const right = Math.max(left + 1, Math.floor(((column + 1) * width) / columns));
      const sums = [0, 0, 0];
      for (let y = top; y < bottom; y++) {
        for (let at = (y * width + left) * 3; at < (y * width + right) * 3; at += 3) {
          sums[0] = (sums[0] ?? 0) + (data[at] ?? 0);
          sums[1] = (sums[1] ?? 0) + (data[at + 1] ?? 0);
          sums[2] = (sums[2] ?? 0) + (data[at + 2] ?? 0);
        }
      }
      const count = (bottom - top) * (right - left);
      result.set(
        sums.map((sum) => sum / count),
        (row * columns + column) * 3,
      );
    }
  }
  return result;
}

function greyOf(rgb: Float32Array): Float32Array {
  const grey = new Float32Array(rgb.length / 3);
  for (let index = 0; index < grey.length; index++) {
    grey[index] = 0.299 * (rgb[index * 3] ?? 0) + 0.587 * (rgb[index * 3 + 1] ?? 0) + 0.114 * (rgb[index * 3 + 2] ?? 0);
  }
  return grey;
}

function normalized(values: Float32Array): Float32Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const centred = values.map((value) => value - mean);
  const length = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0));
  // A deviation of a grey level on average is nothing but noise.
  return length < LUMA_SIDE ? centred.fill(0) : centred.map((value) => value / length);
}

function differenceHash(grey: Float32Array): Uint8Array {
  const bits = new Uint8Array(64);
  for (let row = 0; row < 8; row++) {
    for (let column = 0; column < 8; column++) {
      const at = row * 9 + column;
      bits[row * 8 + column] = (grey[at] ?? 0) > (grey[at + 1] ?? 0) + HASH_MARGIN ? 1 : 0;
    }
  }
  return bits;
}

// Flat areas of a drawing differ by rounding only; their bits must not be chance.
const HASH_MARGIN = 1;
