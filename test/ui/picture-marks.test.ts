import { describe, expect, test } from "vitest";
import { frameBetween } from "../../ui/data/picture-marks.js";

const picture = { width: 100, height: 50 };

describe("a frame that is drawn on a picture", () => {
  test("is whole pixels within it, from whichever corner it is drawn", () => {
    const frame = { left: 10, top: 5, width: 50, height: 35 };
    expect(frameBetween({ x: 10.2, y: 5.4 }, { x: 60.1, y: 40.2 }, picture)).toEqual(frame);
    expect(frameBetween({ x: 60.1, y: 40.2 }, { x: 10.2, y: 5.4 }, picture)).toEqual(frame);
    expect(frameBetween({ x: 50, y: 20 }, { x: 400, y: -30 }, picture)).toEqual({ left: 50, top: 0, width: 50, height: 20 });
  });

  test("is none when the pointer hardly moved", () => {
    expect(frameBetween({ x: 10, y: 10 }, { x: 13, y: 40 }, picture)).toBeNull();
  });
});
