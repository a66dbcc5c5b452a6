import { describe, expect, test } from "vitest";
import { heal, type Pixels } from "../../../../server/dataset/picture-edit/heal.js";

/** A picture whose colour changes evenly from left to right. */
function gradient(width: number, height: number): Pixels {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, index) => {
    const x = Math.floor(index / 3) % width;
    return index % 3 === 0 ? 40 + x : index % 3 === 1 ? 120 : 200 - x;
  });
  return { data, width, height };
}

function disc({ width, height }: Pixels, { x, y, radius }: { x: number; y: number; radius: number }): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, at) =>
    Math.hypot((at % width) - x, Math.floor(at / width) - y) <= radius ? 255 : 0,
  );
}

describe("healing", () => {
  test("gives a marked part the colours that run through around it, and leaves all else as it was", () => {
    const clean = gradient(120, 80);
    const mask = disc(clean, { x: 60, y: 40, radius: 14 });
    const dirty: Pixels = { ...clean, data: clean.data.map((value, index) => ((mask[Math.floor(index / 3)] ?? 0) > 0 ? 255 : value)) };
    expect(heal(dirty, mask)).toBe(true);
    const farthest = dirty.data.reduce((most, value, index) => Math.max(most, Math.abs(value - (clean.data[index] ?? 0))), 0);
    expect(farthest).toBeLessThanOrEqual(6);
    expect(dirty.data.every((value, index) => (mask[Math.floor(index / 3)] ?? 0) > 0 || value === clean.data[index])).toBe(true);
  });

  test("works at the edges and in corners, where there is something on one side only", () => {
    const picture = gradient(40, 40);
    const mask = disc(picture, { x: 0, y: 0, radius: 12 });
    expect(heal(picture, mask)).toBe(true);
    expect(picture.data.every((value) => value >= 40 && value <= 200)).toBe(true);
  });

  test("says no when all of the picture is marked, and does nothing for an empty mask", () => {
    const picture = gradient(8, 8);
    const before = Uint8Array.from(picture.data);
    expect(heal(picture, new Uint8Array(64).fill(255))).toBe(false);
    expect(heal(picture, new Uint8Array(64))).toBe(true);
    expect(picture.data).toEqual(before);
  });
});
