import type { ProblemCode } from "../../protocol/dataset.js";
import { isOversized, type PictureFacts } from "./picture.js";
import { isConvertible } from "./sniff.js";

/** Shorter side in pixels below which a picture has too little to teach. */
export const MIN_SIDE = 64;

/** Longest shape that is left as it is; beyond it a bucket would keep a strip of a few pixels. */
export const MAX_RATIO = 3;

/** Codes of what is wrong with the picture itself, in the order of the contract. */
export function pictureProblems(facts: PictureFacts): ProblemCode[] {
  if (!facts.ok) return [facts.code];
  const codes: ProblemCode[] = [];
  if (isOversized(facts)) codes.push("too_large");
  if (Math.min(facts.width, facts.height) < MIN_SIDE) codes.push("too_small");
  if (isConvertible(facts.format)) codes.push("unsupported_format");
  if (facts.transparent) codes.push("transparent");
  if (isBeyond(facts)) codes.push("beyond_3_to_1");
  if (facts.orientation !== 1) codes.push("exif_orientation");
  return codes;
}

export function isBeyond({ width, height }: { width: number; height: number }): boolean {
  return Math.max(width, height) > MAX_RATIO * Math.min(width, height);
}
