import { describe, expect, test } from "vitest";
import type { Subset } from "../../protocol/dataset.js";
import { gradeOf, gradeSubset } from "../../protocol/sorting.js";

const subset = (name: string, images = 1): Subset => {
  const [repeats = "1", classTokens = ""] = name.split("/").at(-1)?.split("_") ?? [];
  return { name, repeats: Number(repeats) || 1, classTokens, images };
};

describe("the grade of a subset", () => {
  test.each([
    ["10_lantern keeper", "good"],
    ["5_lantern keeper weak", "weak"],
    ["5_weak", "weak"],
    ["10_weakling", "good"],
    [".", null],
    ["loose", null],
    ["reg/1_girl", null],
    ["a/10_x", "good"],
  ])("%s is %s", (name, grade) => expect(gradeOf(name)).toBe(grade));
});

describe("where a picture of a grade goes", () => {
  test.each([
    ["10_x", "weak", ["10_x"], "5_x weak"],
    ["1_x", "weak", ["1_x"], "1_x weak"],
    ["10_x", "weak", ["10_x", "3_x weak"], "3_x weak"],
    ["3_x weak", "good", ["10_x", "3_x weak"], "10_x"],
    ["3_x weak", "good", ["3_x weak"], "6_x"],
    ["10_x", "good", ["10_x"], "10_x"],
    [".", "good", ["."], "2_moss"],
    [".", "weak", ["."], "1_moss weak"],
    [".", "weak", [".", "8_moss"], "4_moss weak"],
    ["loose", "good", ["loose"], "2_loose"],
    ["a/10_x", "weak", ["a/10_x", "2_x weak"], "a/5_x weak"],
    ["10_x", "weak", ["10_x", "10_y", "2_y weak"], "5_x weak"],
  ] as const)("%s, %s, of %j", (from, grade, names, target) => {
    expect(gradeSubset(from, grade, { subsets: names.map((name) => subset(name)), looseTokens: "moss" })).toBe(target);
  });
});
