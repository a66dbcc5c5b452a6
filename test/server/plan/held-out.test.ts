import { describe, expect, test } from "vitest";
import { type Candidate, chooseHeldOut, defaultHeldOut } from "../../../server/plan/held-out.js";

const candidate = (id: string, phash: string, bucket = "512×512", hasTwin = false): Candidate => ({ id, phash, bucket, hasTwin });

describe("held-out pictures", () => {
  test.each([
    [0, 0],
    [11, 0],
    [12, 2],
    [24, 2],
    [36, 3],
    [300, 25],
  ])("of %i are %i by default", (images, count) => {
    expect(defaultHeldOut(images)).toBe(count);
  });

  test("are different from each other, and the same ones every time", () => {
    const images = [
      candidate("a", "0000000000000000"),
      candidate("b", "00000000000000ff"),
      candidate("c", "000000000000ffff"),
      candidate("d", "ffffffffffffffff"),
    ];
    const chosen = [...chooseHeldOut(images, 2)];
    expect(chosen).toEqual(["b", "d"]);
    expect([...chooseHeldOut(images, 2)]).toEqual(chosen);
  });

  test("have no near-duplicate that is trained on, and are not the only one of their bucket", () => {
    const images = [
      candidate("twin 1", "00000000000000ff"),
      candidate("twin 2", "00000000000001ff"),
      candidate("mirrored", "0f0f0f0f0f0f0f0f", "512×512", true),
      candidate("alone", "ffffffffffffffff", "640×384"),
      candidate("free 1", "00000000ffffffff"),
      candidate("free 2", "0000ffffffff0000"),
    ];
    expect([...chooseHeldOut(images, 2)].sort()).toEqual(["free 1", "free 2"]);
    expect(chooseHeldOut(images, 5).size).toBe(5);
  });
});
