import { expect, test } from "vitest";
import { type AutotagOptions, defaultOptions } from "../../protocol/autotag-options.js";
import { tagChooser } from "../../protocol/choose-tags.js";
import { type LabelCategory, LEAST_SCORE, scoreStep, type TaggerLabel } from "../../protocol/tag-scores.js";

type Scored = [name: string, category: LabelCategory, score: number];
const usual = defaultOptions("wd");

function chosen(scored: readonly Scored[], options: Partial<AutotagOptions>): string[] {
  const labels = scored.map(([name, category]): TaggerLabel => [name, category]);
  const scores = scored.map(([, , score], label) => ({ label, score: scoreStep(score) })).filter(({ score }) => score >= LEAST_SCORE);
  return tagChooser(labels, { ...usual, ...options })(scores).map(({ tag }) => tag);
}

const some: Scored[] = [
  ["general", "rating", 0.7],
  ["explicit", "rating", 0.2],
  ["hat", "general", 0.35],
  ["long_hair", "general", 0.99],
  ["cup", "general", 0.34],
  ["moss_keeper", "character", 0.86],
  ["other_one", "character", 0.84],
  ["somebody", "artist", 0.99],
  ["", "general", 0.99],
];

test("each category has its own threshold, and those without one are left out", () => {
  expect(chosen(some, {})).toEqual(["moss keeper", "long hair", "hat"]);
  expect(chosen(some, { thresholds: { ...usual.thresholds, general: null } })).toEqual(["moss keeper"]);
  expect(chosen(some, { thresholds: { ...usual.thresholds, character: 0.8, artist: 0.5 } })).toEqual([
    "moss keeper",
    "other one",
    "somebody",
    "long hair",
    "hat",
  ]);
});

test("of the ratings the surest alone is taken, and only when ratings are wanted", () => {
  expect(chosen(some, { thresholds: { ...usual.thresholds, rating: 0 } })).toContain("general");
  expect(chosen(some, { thresholds: { ...usual.thresholds, rating: 0 } })).not.toContain("explicit");
  expect(chosen(some, {})).not.toContain("general");
});

test("excluded tags are never given, by name or by pattern", () => {
  expect(chosen(some, { exclude: ["Long_Hair", "moss*", ""] })).toEqual(["hat"]);
});

test("underscores stay when they are wanted", () => {
  expect(chosen(some, { keepUnderscores: true })).toEqual(["moss_keeper", "long_hair", "hat"]);
});

test("a name with a comma stays one tag", () => {
  expect(chosen([["one,_two", "general", 0.9]], {})).toEqual(["one two"]);
});

test("with MCut the threshold lies in the widest gap of each category", () => {
  const scores: Scored[] = [
    ["a", "general", 0.9],
    ["b", "general", 0.8],
    ["c", "general", 0.3],
    ["d", "general", 0.25],
    ["x", "character", 0.6],
    ["y", "character", 0.55],
    ["z", "character", 0.1],
  ];
  expect(chosen(scores, { mcut: true })).toEqual(["x", "y", "a", "b"]);
});

test("MCut counts the scores that were too small to be kept, and takes no character below 0.15", () => {
  const scores: Scored[] = [
    ["a", "general", 0.2],
    ["b", "general", 0.19],
    ["c", "general", 0.01],
    ["x", "character", 0.14],
    ["y", "character", 0.01],
  ];
  expect(chosen(scores, { mcut: true })).toEqual(["a", "b"]);
});

test("MCut agrees with the formula of the paper on whole rows of scores", () => {
  let seed = 7;
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648;
  };
  for (let round = 0; round < 200; round += 1) {
    const scores = Array.from(
      { length: 12 },
      (_, index): Scored => [`t${index}`, "general", Math.round((0.06 + 0.94 * random()) * 255) / 255],
    );
    const sorted = scores.map(([, , score]) => score).toSorted((a, b) => b - a);
    const gaps = sorted.slice(1).map((score, index) => Math.round(((sorted[index] ?? 0) - score) * 255));
    const widest = gaps.indexOf(Math.max(...gaps));
    const threshold = ((sorted[widest] ?? 0) + (sorted[widest + 1] ?? 0)) / 2;
    const expected = scores.filter(([, , score]) => score > threshold).map(([name]) => name);
    expect(chosen(scores, { mcut: true }).toSorted()).toEqual(expected.toSorted());
  }
});
