import { describe, expect, test } from "vitest";
import type { MergeMode, UnionOrder } from "../../protocol/autotag-options.js";
import type { ChosenTag } from "../../protocol/choose-tags.js";
import { captionDifference, mergeCaption } from "../../protocol/merge-caption.js";

const chosen: ChosenTag[] = [
  { tag: "moss keeper", category: "character", score: 0.9 },
  { tag: "long hair", category: "general", score: 0.99 },
  { tag: "hat", category: "general", score: 0.5 },
];

const merged = (caption: string | null, merge: MergeMode, triggerWord = "", order: UnionOrder = "score") =>
  mergeCaption(caption, chosen, { merge, order, triggerWord });

describe("a caption and the tagger's tags", () => {
  test.each([
    ["append", "cup, hat", "cup, hat, moss keeper, long hair"],
    ["prepend", "cup, hat", "moss keeper, long hair, cup, hat"],
    ["replace", "cup, hat", "moss keeper, long hair, hat"],
    ["missing", "cup, hat", "cup, hat"],
    ["missing", "", "moss keeper, long hair, hat"],
    ["missing", null, "moss keeper, long hair, hat"],
    ["append", null, "moss keeper, long hair, hat"],
    ["union", "hat, cup", "cup, long hair, moss keeper, hat"],
  ] as const)("%s of %j gives %j", (mode, caption, expected) => {
    expect(merged(caption, mode)).toBe(expected);
  });

  test("a union is ordered by alphabet or by category when that is wanted", () => {
    expect(merged("hat, cup", "union", "", "alphabet")).toBe("cup, hat, long hair, moss keeper");
    expect(merged("hat, cup", "union", "", "category")).toBe("moss keeper, cup, long hair, hat");
  });

  test.each(["append", "prepend", "replace", "union"] as const)("the trigger word stays first: %s", (mode) => {
    expect(merged("mossy, cup", mode, "mossy").split(", ")[0]).toBe("mossy");
    expect(merged("cup, mossy", mode, "mossy").split(", ")[0]).toBe("mossy");
    expect(merged(null, mode, "mossy").split(", ")[0]).toBe("mossy");
  });

  test("the trigger word is not doubled when the tagger knows it", () => {
    expect(merged("Moss_Keeper, cup", "append", "Moss_Keeper")).toBe("Moss_Keeper, cup, long hair, hat");
  });

  test("a tag is the same however it is spelt, and keeps its spelling", () => {
    expect(merged("Long_Hair, HAT, moss keeper", "append")).toBe("Long_Hair, HAT, moss keeper");
    const escaped: ChosenTag[] = [{ tag: "moss (lantern)", category: "character", score: 1 }];
    expect(mergeCaption("moss \\(lantern\\)", escaped, { merge: "append", order: "score", triggerWord: "" })).toBe("moss \\(lantern\\)");
  });

  test.each(["  moss keeper,long hair ,hat\n", "hat,,long hair,  moss keeper", "moss keeper, hat, long hair\r\n"])(
    "a caption that has everything stays as it is: %j",
    (caption) => {
      expect(merged(caption, "append")).toBe(caption);
      expect(merged(caption, "prepend")).toBe(caption);
    },
  );

  test("what is appended leaves what was there letter by letter", () => {
    expect(merged("cup ,  a  b,", "append")).toBe("cup ,  a  b, moss keeper, long hair, hat");
  });

  test("each line of a caption gets the tags, because lines are alternatives", () => {
    expect(merged("cup\nhat, pot", "append")).toBe("cup, moss keeper, long hair, hat\nhat, pot, moss keeper, long hair");
  });

  test("a tagger that sees nothing takes nothing away", () => {
    expect(mergeCaption("cup", [], { merge: "replace", order: "score", triggerWord: "mossy" })).toBe("cup");
  });

  test("what is gained and lost is told without regard to order and spelling", () => {
    expect(captionDifference("cup, Long_Hair", "long hair, hat")).toEqual({ gained: ["hat"], lost: ["cup"] });
    expect(captionDifference(null, "hat")).toEqual({ gained: ["hat"], lost: [] });
  });
});
