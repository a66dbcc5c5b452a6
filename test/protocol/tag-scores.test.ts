import { expect, test } from "vitest";
import { scoreStep, unpackScores } from "../../protocol/tag-scores.js";
import { tagText } from "../../protocol/tag-text.js";

const packed = (...scores: [label: number, score: number][]) =>
  Buffer.from(scores.flatMap(([label, score]) => [label & 255, (label >> 8) & 255, label >> 16, score])).toString("base64");

test.each([
  [[]],
  [[[0, 13]]],
  [
    [
      [1, 255],
      [70_000, 90],
    ],
  ],
  [
    [
      [255, 1],
      [256, 2],
      [65_535, 3],
      [65_536, 4],
      [16_777_215, 255],
    ],
  ],
] as [label: number, score: number][][][])("scores come out as they were packed: %j", (scores) => {
  expect(unpackScores(packed(...scores))).toEqual(scores.map(([label, score]) => ({ label, score })));
});

test("a text that is cut off gives the scores that are whole", () => {
  const whole = packed([1, 20], [2, 30], [3, 40]);
  expect(unpackScores(whole.slice(0, -3))).toEqual([
    { label: 1, score: 20 },
    { label: 2, score: 30 },
  ]);
});

test("a score that reaches a threshold still does after both were rounded", () => {
  for (let step = 0; step <= 1000; step += 1)
    expect(scoreStep(step / 1000)).toBeGreaterThanOrEqual(scoreStep(Math.max(0, step - 1) / 1000));
});

test.each([
  ["long_hair", "long hair"],
  ["^_^", "^_^"],
  [">_<", ">_<"],
  ["||_||", "||_||"],
  ["(o)_(o)", "(o)_(o)"],
  ["<|>_<|>", "<|>_<|>"],
  ["moss_keeper_(lantern)", "moss keeper (lantern)"],
])("%s is written %s", (name, text) => {
  expect(tagText(name, false)).toBe(text);
  expect(tagText(name, true)).toBe(name);
});
