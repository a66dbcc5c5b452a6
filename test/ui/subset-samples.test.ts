import { describe, expect, test } from "vitest";
import type { PlanImage } from "../../protocol/plan.js";
import { samplesBySubset } from "../../ui/data/subset-samples.js";

const image = (id: string, repeats: number, more: Partial<PlanImage> = {}): PlanImage => ({
  id,
  subset: id.split("/").slice(0, -1).join("/"),
  width: 512,
  height: 512,
  bucket: [512, 512],
  resized: [512, 512],
  cropLoss: 0,
  repeats,
  caption: "",
  tokens: 0,
  heldOut: false,
  ...more,
});

describe("subsets of a plan", () => {
  test("have shares of what is trained on, without what is held out", () => {
    const images = [image("9_a/1.png", 9), image("9_a/2.png", 9), image("6_b/1.png", 6), image("6_b/2.png", 6, { heldOut: true })];
    expect(samplesBySubset({ images })).toEqual([
      { name: "6_b", images: 1, repeats: [6], share: 0.25, isReg: false },
      { name: "9_a", images: 2, repeats: [9], share: 0.75, isReg: false },
    ]);
  });

  test("do not count regularisation pictures among their own", () => {
    const images = [image("1_a/1.png", 4), image("reg/1_x/1.png", 3, { isReg: true }), image("reg/1_x/2.png", 1, { isReg: true })];
    expect(samplesBySubset({ images }).map(({ name, repeats, share }) => [name, repeats, share])).toEqual([
      ["1_a", [4], 1],
      ["reg/1_x", [1, 3], 1],
    ]);
  });
});
