/** Pixels in rows, three bytes each: red, green, blue. */
export type Pixels = { data: Uint8Array; width: number; height: number };

/** One byte a pixel, as large as the picture: 255 is healed, 0 stays, between them both are mixed. */
export type PixelMask = Uint8Array;

/** How far around the masked part colours are looked for, as a share of its size, and in pixels at least. */
const REACH = 0.5;
const LEAST_REACH = 16;
/** Rounds in which each healed pixel becomes the mean of its neighbours, which takes away the pyramid's steps. */
const SMOOTHING = 24;

/**
 * Fills the masked part from the colours around it, smoothly: colours are carried inwards over a pyramid of halved pictures (push and pull,
 * Gortler et al., The Lumigraph, 1996, §4.2) and then levelled out. False when there is nothing around that could be taken. Changes
 * `picture.data`.
 */
export function heal(picture: Pixels, mask: PixelMask): boolean {
  const box = boxOf(mask, picture);
  if (box === null) return true;
  const level = cut(picture, mask, box);
  if (!level.weight.some((weight) => weight > 0)) return false;
  fillHoles(level);
  smooth(level, mask, box, picture.width);
  paste(level, picture, mask, box);
  return true;
}

type Box = { left: number; top: number; width: number; height: number };

/** Colours in three planes, and how far each pixel is known, 0–1. */
type Level = { width: number; height: number; planes: [Float32Array, Float32Array, Float32Array]; weight: Float32Array };

/** The masked part with enough around it; null for an empty mask. */
function boxOf(mask: PixelMask, { width, height }: Pixels): Box | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (mask[at] === 0) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
    }
  }
  if (right < 0) return null;
  const reach = Math.max(LEAST_REACH, Math.ceil(REACH * Math.max(right - left, bottom - top)));
  const [x0, y0] = [Math.max(0, left - reach), Math.max(0, top - reach)];
  return { left: x0, top: y0, width: Math.min(width, right + reach + 1) - x0, height: Math.min(height, bottom + reach + 1) - y0 };
}

function newLevel(width: number, height: number): Level {
  const plane = () => new Float32Array(width * height);
  return { width, height, planes: [plane(), plane(), plane()], weight: plane() };
}

function cut(picture: Pixels, mask: PixelMask, box: Box): Level {
  const level = newLevel(box.width, box.height);
  for (let y = 0, to = 0; y < box.height; y++) {
    for (let x = 0, at = (box.top + y) * picture.width + box.left; x < box.width; x++, at++, to++) {
      level.weight[to] = 1 - (mask[at] ?? 0) / 255;
      for (const [channel, plane] of level.planes.entries()) plane[to] = picture.data[3 * at + channel] ?? 0;
    }
  }
  return level;
}

/** Down to one pixel that knows, and back up into everything that does not. */
function fillHoles(level: Level): void {
  if (level.width <= 1 && level.height <= 1) return;
  const half = halved(level);
  fillHoles(half);
  for (let y = 0, at = 0; y < level.height; y++) {
    for (let x = 0; x < level.width; x++, at++) {
      const weight = level.weight[at] ?? 0;
      if (weight < 1)
        for (const [channel, plane] of level.planes.entries())
          plane[at] = weight * (plane[at] ?? 0) + (1 - weight) * between(half, channel, x, y);
    }
  }
}

function halved(level: Level): Level {
  const half = newLevel(Math.ceil(level.width / 2), Math.ceil(level.height / 2));
  for (let y = 0; y < level.height; y++) {
    for (let x = 0, at = y * level.width; x < level.width; x++, at++) {
      const to = (y >> 1) * half.width + (x >> 1);
      const weight = level.weight[at] ?? 0;
      half.weight[to] = (half.weight[to] ?? 0) + weight;
      for (const [channel, plane] of level.planes.entries()) {
        const other = half.planes[channel as 0 | 1 | 2];
        other[to] = (other[to] ?? 0) + weight * (plane[at] ?? 0);
      }
    }
  }
  for (let at = 0; at < half.weight.length; at++) {
    const weight = half.weight[at] ?? 0;
    if (weight > 0) for (const plane of half.planes) plane[at] = (plane[at] ?? 0) / weight;
    half.weight[at] = Math.min(1, weight);
  }
  return half;
}

/** The coarser level's colour at a pixel of the finer one, between its four neighbours. */
function between(half: Level, channel: number, x: number, y: number): number {
  const plane = half.planes[channel as 0 | 1 | 2];
  const [fx, fy] = [Math.max(0, (x - 0.5) / 2), Math.max(0, (y - 0.5) / 2)];
  const [x0, y0] = [Math.min(half.width - 1, Math.floor(fx)), Math.min(half.height - 1, Math.floor(fy))];
  const [x1, y1] = [Math.min(half.width - 1, x0 + 1), Math.min(half.height - 1, y0 + 1)];
  const [tx, ty] = [fx - x0, fy - y0];
  const at = (px: number, py: number) => plane[py * half.width + px] ?? 0;
  return (1 - ty) * ((1 - tx) * at(x0, y0) + tx * at(x1, y0)) + ty * ((1 - tx) * at(x0, y1) + tx * at(x1, y1));
}

function smooth(level: Level, mask: PixelMask, box: Box, pictureWidth: number): void {
  const { width, height } = level;
  const holes: number[] = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) if ((mask[(box.top + y) * pictureWidth + box.left + x] ?? 0) > 127) holes.push(y * width + x);
  for (let round = 0; round < SMOOTHING; round++) {
    for (const at of holes) {
      const [left, right] = [at % width > 0 ? at - 1 : at, at % width < width - 1 ? at + 1 : at];
      const [up, down] = [at >= width ? at - width : at, at + width < width * height ? at + width : at];
      for (const plane of level.planes) plane[at] = ((plane[left] ?? 0) + (plane[right] ?? 0) + (plane[up] ?? 0) + (plane[down] ?? 0)) / 4;
    }
  }
}

function paste(level: Level, picture: Pixels, mask: PixelMask, box: Box): void {
  for (let y = 0, from = 0; y < box.height; y++) {
    for (let x = 0, at = (box.top + y) * picture.width + box.left; x < box.width; x++, at++, from++) {
      if ((mask[at] ?? 0) === 0) continue;
      // What is known in part was mixed with its own colour on the way up already.
      for (const [channel, plane] of level.planes.entries()) picture.data[3 * at + channel] = Math.round(plane[from] ?? 0);
    }
  }
}
