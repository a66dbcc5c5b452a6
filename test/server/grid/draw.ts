import sharp from "sharp";
import type { Picture } from "../../../server/grid/picture.js";

/** Numbers from 0 to 1, the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Colour = readonly [number, number, number];

const backgrounds: readonly Colour[] = [
  [235, 235, 240],
  [120, 170, 220],
  [150, 200, 140],
  [225, 205, 150],
  [190, 150, 200],
  [90, 110, 140],
];

/** A flat drawing as of a picture book: one background, a two-coloured figure with eyes, soft edges, a little noise of a decoder. */
export function drawing(seed: number, side = 128): Picture {
  const next = random(seed);
  const background = backgrounds[Math.floor(next() * backgrounds.length)]!;
  const body: Colour = [200 + next() * 40, 90 + next() * 60, 40 + next() * 40];
  const dark: Colour = [50, 40, 60];
  const centre = { x: side * (0.3 + 0.4 * next()), y: side * (0.35 + 0.3 * next()) };
  const size = side * (0.14 + 0.16 * next());
  return paint(side, (x, y) => {
    const distance = Math.hypot(x - centre.x, (y - centre.y) * 0.85);
    const eye = Math.min(
      Math.hypot(x - centre.x - size * 0.35, y - centre.y + size * 0.2),
      Math.hypot(x - centre.x + size * 0.35, y - centre.y + size * 0.2),
    );
    const ground = y > side * 0.8 ? 0.85 : 1;
    const base = mix([background[0] * ground, background[1] * ground, background[2] * ground], body, soft(size - distance));
    const coloured = mix(base, dark, soft(size * 0.15 - eye));
    const noise = (next() - 0.5) * 3;
    return [coloured[0] + noise, coloured[1] + noise, coloured[2] + noise];
  });
}

/** Something like a photo: light and shade on every scale, grain, no flat place. */
export function photo(seed: number, side = 512): Picture {
  const next = random(seed);
  const waves = Array.from({ length: 12 }, (_, index) => {
    const scale = ((1 + 2 * index) * 2 * Math.PI) / side;
    return {
      x: (next() - 0.5) * 2 * scale,
      y: (next() - 0.5) * 2 * scale,
      phase: next() * 7,
      height: 70 / (1 + index * 0.5),
      tint: next(),
    };
  });
  return paint(side, (x, y) => {
    let light = 125;
    let tint = 0;
    for (const wave of waves) {
      const value = Math.sin(wave.x * x + wave.y * y + wave.phase) * wave.height;
      light += value;
      tint += value * (wave.tint - 0.5);
    }
    const grain = (next() - 0.5) * 12;
    return [light + tint * 0.6 + grain, light + grain, light - tint * 0.6 + grain];
  });
}

export function changed(picture: Picture, change: (value: number, index: number) => number): Picture {
  return { ...picture, data: picture.data.map((value, index) => Math.max(0, Math.min(255, Math.round(change(value, index))))) };
}

/** As a burnt LoRA leaves it: colours and contrast blown up until they clip. */
export function saturated(picture: Picture): Picture {
  const data = new Uint8Array(picture.data.length);
  for (let at = 0; at < data.length; at += 3) {
    const [red = 0, green = 0, blue = 0] = picture.data.subarray(at, at + 3);
    const grey = (red + green + blue) / 3;
    for (const [offset, value] of [red, green, blue].entries())
      data[at + offset] = Math.max(0, Math.min(255, 128 + (grey - 128) * 2 + (value - grey) * 3.5));
  }
  return { ...picture, data };
}

export function noisy(picture: Picture, seed: number, strength = 60): Picture {
  const next = random(seed);
  return changed(picture, (value) => value + (next() - 0.5) * strength);
}

export function blocked(picture: Picture, block = 8): Picture {
  const { width, data } = picture;
  const next = random(5);
  const shifts = Array.from({ length: 4096 }, () => (next() - 0.5) * 70);
  return changed(picture, (_, index) => {
    const pixel = Math.floor(index / 3);
    const column = Math.floor((pixel % width) / block);
    const row = Math.floor(pixel / width / block);
    return (data[(row * block * width + column * block) * 3 + (index % 3)] ?? 0) + shifts[(row * 61 + column) % 4096]!;
  });
}

export async function blurred(picture: Picture, sigma: number): Promise<Picture> {
  const { width, height } = picture;
  const data = await sharp(picture.data, { raw: { width, height, channels: 3 } })
    .blur(sigma)
    .raw()
    .toBuffer();
  return { width, height, data };
}

export async function writePng(picture: Picture, file: string): Promise<void> {
  await sharp(picture.data, { raw: { width: picture.width, height: picture.height, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toFile(file);
}

function paint(side: number, colour: (x: number, y: number) => Colour): Picture {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++)
      data.set(
        colour(x, y).map((value) => Math.max(0, Math.min(255, Math.round(value)))),
        (y * side + x) * 3,
      );
  }
  return { width: side, height: side, data };
}

function soft(distance: number): number {
  return Math.max(0, Math.min(1, distance / 2 + 0.5));
}

function mix(a: Colour, b: Colour, share: number): Colour {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}
