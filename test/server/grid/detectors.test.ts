import { describe, expect, it } from "vitest";
import { detectDamage, trainingRange } from "../../../server/grid/detectors.js";
import { pictureStats } from "../../../server/grid/picture-stats.js";
import { blocked, blurred, changed, drawing, noisy, photo, saturated } from "./draw.js";

const kinds = [
  { name: "flat drawings of 128 pixels", make: (seed: number) => drawing(seed) },
  { name: "flat drawings of 64 pixels", make: (seed: number) => drawing(seed, 64) },
  { name: "photos of 160 pixels", make: (seed: number) => photo(seed, 160) },
];

describe.each(kinds)("damage in $name", ({ make }) => {
  const training = trainingRange(Array.from({ length: 12 }, (_, index) => pictureStats(make(100 + index))));
  const base = pictureStats(make(3));
  const cell = make(7);
  const flagsOf = (picture: typeof cell) => detectDamage(pictureStats(picture), base, training);

  it("is not seen in fine pictures, whatever they show", () => {
    for (let seed = 0; seed < 12; seed++) {
      expect(detectDamage(pictureStats(make(1000 + seed)), pictureStats(make(2000 + seed)), training), `picture ${seed}`).toEqual([]);
    }
  });
  it("is seen in a saturated cell", () => expect(flagsOf(saturated(cell))).toContain("fried"));
  it("is seen in a noisy cell", () => expect(flagsOf(noisy(cell, 1))).toContain("crunchy"));
  it("is seen in a blocked cell", () => expect(flagsOf(blocked(cell))).toContain("banding"));
  it("is seen in a posterised cell", () => expect(flagsOf(changed(cell, (value) => Math.round(value / 28) * 28))).toContain("banding"));
  it("is seen in a blurred cell", async () => expect(flagsOf(await blurred(cell, 3))).toContain("mush"));
  it("is seen in a black cell and in one of a single colour, and then nothing else is said", () => {
    expect(flagsOf(changed(cell, () => 0))).toEqual(["black"]);
    expect(flagsOf(changed(cell, () => 180))).toEqual(["black"]);
  });
  it("is found against the training pictures when the cell without LoRA is itself black", () => {
    const black = pictureStats(changed(cell, () => 0));
    expect(detectDamage(pictureStats(cell), black, training)).toEqual([]);
    expect(detectDamage(pictureStats(noisy(cell, 1, 120)), black, training)).toContain("crunchy");
  });
  it("is found without any training pictures against the cell without LoRA alone", () => {
    expect(detectDamage(base, base, null)).toEqual([]);
    expect(detectDamage(pictureStats(noisy(make(3), 1)), base, null)).toContain("crunchy");
  });
});

it("contrast that is blown up beyond the cell without LoRA and the training pictures is seen", () => {
  const dull = (seed: number) => changed(photo(seed, 128), (value) => 128 + (value - 128) * 0.4);
  const training = trainingRange(Array.from({ length: 12 }, (_, index) => pictureStats(dull(index))));
  expect(detectDamage(pictureStats(photo(50, 128)), pictureStats(dull(51)), training)).toContain("contrast");
});

it("what the training pictures are like is no damage, even where the base model draws otherwise", () => {
  const training = trainingRange(Array.from({ length: 12 }, (_, index) => pictureStats(saturated(noisy(drawing(index), index)))));
  expect(detectDamage(pictureStats(saturated(noisy(drawing(40), 40))), pictureStats(drawing(41)), training)).toEqual([]);
});
