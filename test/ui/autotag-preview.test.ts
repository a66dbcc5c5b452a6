import { describe, expect, test } from "vitest";
import { type AutotagOptions, defaultOptions, type MergeMode } from "../../protocol/autotag-options.js";
import { tagChooser } from "../../protocol/choose-tags.js";
import type { DatasetImage } from "../../protocol/dataset.js";
import { captionDifference, mergeCaption } from "../../protocol/merge-caption.js";
import { type TaggerLabel, unpackScores } from "../../protocol/tag-scores.js";
import { categoriesOf, previewAutotag, unpackAll } from "../../ui/data/autotag-preview.js";

const labels: TaggerLabel[] = [
  ["long_hair", "general"],
  ["hat", "general"],
  ["moss_keeper", "character"],
  ["Hat", "general"],
  ["general", "rating"],
];

const image = (id: string, caption: string | null): DatasetImage => ({
  ...{ id, subset: ".", width: 64, height: 64, format: "png", bytes: 1, transparent: false, phash: null, problems: [] },
  caption,
  tags: [],
});

const packed = (...scores: number[]) => Buffer.from(scores.flatMap((score, label) => [label, 0, 0, score])).toString("base64");

const preview = (images: DatasetImage[], scored: Record<string, string>, change: Partial<AutotagOptions> = {}, triggerWord = "") =>
  previewAutotag(images, unpackAll({ labels, images: scored }), { options: { ...defaultOptions("wd"), ...change }, triggerWord });

describe("what captions would gain and lose", () => {
  test("is counted over all pictures and told picture by picture", () => {
    const images = [image("a.png", "cup"), image("b.png", "Long_Hair"), image("c.png", null), image("d.png", "cup")];
    const found = preview(images, { "a.png": packed(255, 0, 250), "b.png": packed(255), "c.png": packed(255, 200) });
    expect(found.changed).toEqual([
      { image: "a.png", gained: ["moss keeper", "long hair"], lost: [] },
      { image: "c.png", gained: ["long hair", "hat"], lost: [] },
    ]);
    expect(found.gained).toEqual([
      { tag: "long hair", count: 2 },
      { tag: "hat", count: 1 },
      { tag: "moss keeper", count: 1 },
    ]);
    expect(found.unscored).toBe(1);
  });

  test("tells what is lost when the tagger's tags take the place of others", () => {
    const found = preview([image("a.png", "cup, hat")], { "a.png": packed(0, 255) }, { merge: "replace" });
    expect(found.lost).toEqual([{ tag: "cup", count: 1 }]);
    expect(found.gained).toEqual([]);
  });

  test("names the sliders that the tagger has a use for", () => {
    expect(categoriesOf(unpackAll({ labels, images: {} }))).toEqual(["general", "character", "rating"]);
  });

  test("is exactly what writing the captions does, for every way to merge", () => {
    const captions = [
      null,
      "",
      "cup",
      "hat",
      "HAT, cup",
      "moss_keeper",
      "cup\nhat, long hair",
      "long hair, hat, moss keeper",
      "mossy, cup",
      "cup,, mossy,",
    ];
    const modes: MergeMode[] = ["append", "prepend", "union", "missing", "replace"];
    for (const caption of captions)
      for (const merge of modes)
        for (const triggerWord of ["", "mossy", "hat"])
          for (const scores of [packed(), packed(255), packed(0, 255, 255, 255), packed(255, 255, 255, 0, 255)]) {
            const options = { ...defaultOptions("wd"), merge };
            const chosen = tagChooser(labels, options)(unpackScores(scores));
            const after = mergeCaption(caption, chosen, { merge, order: options.order, triggerWord });
            const expected = after === (caption ?? "") ? [] : [{ image: "a.png", ...captionDifference(caption, after) }];
            const { changed } = preview([image("a.png", caption)], { "a.png": scores }, { merge }, triggerWord);
            const sorted = changed.map((one) => ({ ...one, gained: one.gained.toSorted() }));
            expect(sorted).toEqual(expected.map((one) => ({ ...one, gained: one.gained.toSorted() })));
          }
  });
});
