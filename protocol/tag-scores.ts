import { z } from "zod";

/** What a tagger's output is about: the categories of boorus, and what taggers add to them. */
export const LabelCategory = z.enum(["general", "character", "copyright", "artist", "meta", "rating", "quality", "model"]);
export type LabelCategory = z.infer<typeof LabelCategory>;

/** One output of a tagger: a booru's tag with its underscores ("" for an output without a name). */
export const TaggerLabel = z.tuple([z.string(), LabelCategory]);
export type TaggerLabel = z.infer<typeof TaggerLabel>;

/** The scores of one picture above 0.05: base64 of 4 bytes each, the label's index (3 bytes, little-endian) and the score × 255. */
export const PackedScores = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);
export type PackedScores = z.infer<typeof PackedScores>;

/** `label` is an index into the tagger's labels, `score` 0…255. */
export type LabelScore = { label: number; score: number };

/** The least score that is kept, in steps of 1/255; what is missing is below it. */
export const LEAST_SCORE = 13;

/** A score or threshold of 0…1 as it is kept, so that the two are compared after the same rounding. */
export function scoreStep(score: number): number {
  return Math.round(score * 255);
}

/** The scores in the order in which they were packed. A text that is cut off gives those that are whole. */
export function unpackScores(packed: PackedScores): LabelScore[] {
  const scores: LabelScore[] = [];
  let [bits, value, bytes, label] = [0, 0, 0, 0];
  // Neither a browser's nor Node's own decoder may be used here.
  for (let at = 0; at < packed.length; at += 1) {
    const six = DIGITS[packed.charCodeAt(at)];
    if (six === undefined) break;
    value = (value << 6) | six;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    const byte = value >> bits;
    value &= (1 << bits) - 1;
    if (bytes < 3) label += byte * 256 ** bytes;
    else scores.push({ label, score: byte });
    if (bytes === 3) label = 0;
    bytes = (bytes + 1) % 4;
  }
  return scores;
}

/** Values of base64's digits by their character code. */
const DIGITS: readonly (number | undefined)[] = digitValues("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

function digitValues(digits: string): (number | undefined)[] {
  const values: (number | undefined)[] = new Array(128).fill(undefined);
  for (let value = 0; value < digits.length; value += 1) values[digits.charCodeAt(value)] = value;
  return values;
}
