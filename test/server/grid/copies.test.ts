import { describe, expect, it } from "vitest";
import { isCopy, makeCopyTest } from "../../../server/grid/copies.js";
import { cropPicture, flipPicture, type Picture } from "../../../server/grid/picture.js";
import { isCollapse, isLeak } from "../../../server/grid/spread.js";
import { changeOfPicture, thumbprint } from "../../../server/grid/thumbprint.js";
import { blurred, changed, drawing, noisy, photo } from "./draw.js";

const kinds = [
  { name: "flat drawings", make: (seed: number) => drawing(seed) },
  { name: "photos", make: (seed: number) => photo(seed, 128) },
];

describe.each(kinds)("copies of $name", ({ make }) => {
  const training = Array.from({ length: 30 }, (_, index) => make(index));
  const test = makeCopyTest(training);
  const base = thumbprint(make(999));
  const copied = (picture: Picture) => isCopy(thumbprint(picture), base, test);

  it("are found as they are, mirrored, cropped to the middle, and redrawn a little", async () => {
    for (const seed of [0, 7, 19]) {
      const original = training[seed]!;
      expect(copied(original)).toBe(true);
      expect(copied(flipPicture(original))).toBe(true);
      expect(copied(cropPicture(original, { left: 13, top: 13, width: 102, height: 102 }))).toBe(true);
      expect(copied(noisy(await blurred(original, 1.2), seed, 20))).toBe(true);
      expect(copied(changed(original, (value) => value * 1.02 + 2))).toBe(true);
    }
  });

  it("are not seen in new pictures of the same kind", () => {
    const wrong = Array.from({ length: 40 }, (_, index) => copied(make(5000 + index))).filter(Boolean).length;
    expect(wrong).toBeLessThanOrEqual(2);
  });

  it("are no copies when the model drew the same without a LoRA", () => {
    const original = thumbprint(training[4]!);
    expect(isCopy(original, original, test)).toBe(false);
  });
});

it("near-duplicates among the training pictures do not hide the copies", () => {
  const twins = Array.from({ length: 10 }, (_, index) => drawing(index)).flatMap((picture, index) =>
    index < 3 ? [picture, noisy(picture, 1, 4)] : [picture],
  );
  expect(isCopy(thumbprint(drawing(8)), thumbprint(drawing(999)), makeCopyTest(twins))).toBe(true);
});

describe("leaks", () => {
  const base = thumbprint(drawing(1));
  const other = thumbprint(drawing(2));
  const called = [changeOfPicture(base, other)];
  it("are prompts without the trigger word that move as far as those with it", () => {
    expect(isLeak(other, base, called)).toBe(true);
    expect(isLeak(thumbprint(noisy(drawing(1), 3, 10)), base, called)).toBe(false);
  });
  it("are no mere changes of light or tint", () => {
    expect(isLeak(thumbprint(changed(drawing(1), (value, index) => value * 0.7 + (index % 3) * 15)), base, called)).toBe(false);
    const grey = thumbprint(changed(drawing(1), () => 90));
    expect([changeOfPicture(grey, grey), changeOfPicture(grey, base)]).toEqual([0, 1]);
  });
  it("can't be told without prompts that call the concept", () => expect(isLeak(other, base, [])).toBe(false));
});

describe("collapse", () => {
  const prints = (seeds: number[]) => seeds.map((seed) => thumbprint(drawing(seed)));
  const same = [1, 2, 3].map((seed) => thumbprint(noisy(drawing(9), seed, 12)));
  it("is when all seeds give the same picture, and only then", () => {
    expect(isCollapse(same, prints([1, 2, 3]), prints([4, 5, 6, 7]))).toBe(true);
    expect(isCollapse(prints([11, 12, 13]), prints([1, 2, 3]), prints([4, 5, 6, 7]))).toBe(false);
  });
  it("can't be told from one seed, and is none when the training pictures are all alike", () => {
    expect(isCollapse(same.slice(0, 1), prints([1]), [])).toBe(false);
    expect(isCollapse(same, prints([1, 2, 3]), same)).toBe(false);
  });
});
