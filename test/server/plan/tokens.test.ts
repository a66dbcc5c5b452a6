import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { countTokens, tokenLengthFor } from "../../../server/plan/tokens.js";

const file = fileURLToPath(new URL("../../fixtures/clip_token_counts.json", import.meta.url));
const counts = z.array(z.tuple([z.string(), z.int()])).parse(JSON.parse(readFileSync(file, "utf8")));

describe("token counts", () => {
  test("are those of CLIP's own tokenizer for tags, other scripts, emoji and noise", () => {
    expect(counts.map(([text]) => [text, countTokens(text)])).toEqual(counts);
  });

  test("lead to the smallest length that cuts nothing", () => {
    expect([0, 75, 76, 150, 151, 225, 400].map(tokenLengthFor)).toEqual([75, 75, 150, 150, 225, 225, 225]);
  });
});
