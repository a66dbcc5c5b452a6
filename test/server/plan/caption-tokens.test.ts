import { describe, expect, test } from "vitest";
import { type CaptionRules, captionTokens } from "../../../server/plan/caption-tokens.js";
import { countTokens } from "../../../server/plan/tokens.js";

const plain: CaptionRules = { captionPrefix: "", captionSuffix: "", enableWildcard: false, weightedCaptions: false };

describe("the tokens of a caption", () => {
  test("are its own where nothing is done to it", () => {
    expect(captionTokens("zorp, red hat", plain)).toBe(countTokens("zorp, red hat"));
    expect(captionTokens("", plain)).toBe(0);
  });

  test("count what is put before and after it", () => {
    expect(captionTokens("zorp", { ...plain, captionPrefix: "best quality,", captionSuffix: ", end" })).toBe(
      countTokens("best quality, zorp , end"),
    );
  });

  test("are those of the longest line and the longest parts of wildcards", () => {
    const caption = "a {red|very dark blue} hat\nshort";
    expect(captionTokens(caption, { ...plain, enableWildcard: true })).toBe(countTokens("a very dark blue hat"));
  });

  test("leave out what only weighs", () => {
    const rules = { ...plain, weightedCaptions: true };
    expect(captionTokens("(zorp:1.2), [red], (hat)", rules)).toBe(countTokens("zorp, red, hat"));
    expect(captionTokens("a \\(b\\)", rules)).toBe(countTokens("a \\(b\\)"));
  });
});
