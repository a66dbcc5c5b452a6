import { expect, test } from "vitest";
import { byStrength, type Disagreement, type DisagreementPicture, disagreementFinder, settledKey } from "../../protocol/disagreements.js";
import { scoreStep, type TaggerLabel } from "../../protocol/tag-scores.js";

const labels: TaggerLabel[] = [
  ["hat", "general"],
  ["long_hair", "general"],
  ["moss_keeper", "character"],
  ["explicit", "rating"],
  ["cup", "general"],
];

const picture = (change: Partial<Omit<DisagreementPicture, "scores">> & { scores?: number[] }): DisagreementPicture => ({
  image: "a.png",
  tags: [],
  post: null,
  settled: new Set(),
  ...change,
  scores: (change.scores ?? []).map((score, label) => ({ label, score: scoreStep(score) })).filter(({ score }) => score > 12),
});

const listOf = (pictures: DisagreementPicture[], triggerWord = ""): Disagreement[] =>
  pictures.flatMap(disagreementFinder({ labels, triggerWord })).sort(byStrength);

const found = (pictures: DisagreementPicture[], triggerWord = "") => listOf(pictures, triggerWord).map(({ kind, tag }) => `${kind} ${tag}`);

test("a tag that the tagger hardly sees is doubted, one that it is sure of and nobody says is missed", () => {
  const one = picture({ tags: ["Hat", "long_hair", "red thing"], scores: [0.03, 0.5, 0.2, 0.99, 0.95] });
  expect(found([one])).toEqual(["doubted Hat", "missed cup"]);
});

test("between the two limits nobody is asked", () => {
  expect(found([picture({ tags: ["hat"], scores: [0.1, 0.9, 0, 0, 0.9] })])).toEqual([]);
});

test("what the booru said and a person took out is not missed", () => {
  const post = { general: ["cup"], artist: [], character: [], copyright: [], meta: [] };
  expect(found([picture({ post, scores: [0, 0, 0, 0, 0.99] })])).toEqual([]);
});

test("the trigger word, ratings and tags without a label are no matter of doubt", () => {
  expect(found([picture({ tags: ["moss keeper", "explicit", "blob"], scores: [] })], "moss_keeper")).toEqual([]);
  expect(found([picture({ scores: [0, 0, 0.99, 0.99] })], "moss_keeper")).toEqual([]);
});

test("the strongest come first, whatever their kind", () => {
  const pictures = [
    picture({ image: "b.png", tags: ["hat"], scores: [0.08] }),
    picture({ image: "a.png", scores: [0, 0, 0, 0, 0.98] }),
    picture({ image: "c.png", tags: ["cup"], scores: [0, 0, 0, 0, 0] }),
  ];
  const list = listOf(pictures);
  expect(list.map(({ image }) => image)).toEqual(["c.png", "a.png", "b.png"]);
  const apart = list.map(({ kind, score }) => (kind === "doubted" ? 1 - score : score));
  expect(apart).toEqual(apart.toSorted((a, b) => b - a));
});

test("what a person has judged does not come again", () => {
  const settled = new Set([settledKey({ kind: "doubted", tag: "HAT" })]);
  expect(found([picture({ tags: ["hat", "cup"], scores: [], settled })])).toEqual(["doubted cup"]);
});
