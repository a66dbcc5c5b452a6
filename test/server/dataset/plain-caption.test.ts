import { array, assert, constantFrom, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { captionProblems } from "../../../server/dataset/caption-fix.js";
import { plainCaptionProblems } from "../../../server/dataset/plain-caption.js";

const TAGS = [
  "solo",
  "long hair",
  "moss",
  "moss (cosplay)",
  "moss (winter)",
  "highres",
  "absurdres",
  "alternate costume",
  "cosplay",
  "virtual youtuber",
];
const ODD = [
  "Solo",
  "a_b",
  "x\\n",
  "&amp;",
  " two  spaces",
  "a,b",
  ":d",
  "a (b) (c)",
  "genderswap (mtf)",
  "style parody",
  "official alternate hair length",
];

describe("the short way through a tidy caption", () => {
  test("says what the long way says, or leaves it to that", () => {
    assert(
      property(
        array(constantFrom(...TAGS, ...ODD), { maxLength: 6 }),
        constantFrom("", "moss", "Moss", "solo", "lantern_keeper"),
        (tags, triggerWord) => {
          const caption = { text: tags.join(", "), encoding: null, bom: false };
          const short = plainCaptionProblems(caption, triggerWord);
          if (short !== null) expect(short).toEqual(captionProblems(caption, triggerWord));
        },
      ),
      { numRuns: 3000 },
    );
    expect(plainCaptionProblems({ text: "moss, highres", encoding: null, bom: false }, "moss")).toEqual(["junk_tags"]);
    expect(plainCaptionProblems({ text: "moss", encoding: null, bom: true }, "")).toBeNull();
  });
});
