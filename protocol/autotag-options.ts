import { z } from "zod";
import { LabelCategory } from "./tag-scores.js";

export const TaggerFamily = z.enum(["wd", "cl", "deepdanbooru"]);
export type TaggerFamily = z.infer<typeof TaggerFamily>;

/**
 * What becomes of a caption. `replace`: the tagger's tags alone; `append`, `prepend`: new ones behind or before those that are there;
 * `missing`: only where there is no caption; `union`: all of both in the order of `order`.
 */
export const MergeMode = z.enum(["append", "prepend", "union", "missing", "replace"]);
export type MergeMode = z.infer<typeof MergeMode>;

/** `score`: as sure as the tagger is, tags that it does not know first; `category`: characters, copyright, general, then the others. */
export const UnionOrder = z.enum(["score", "alphabet", "category"]);
export type UnionOrder = z.infer<typeof UnionOrder>;

/** How scores become tags. Thresholds are 0…1; null leaves a category out. Of ratings and qualities the surest one alone is taken. */
export const AutotagOptions = z.object({
  thresholds: z.record(LabelCategory, z.number().min(0).max(1).nullable()),
  /** The threshold of each category lies in the widest gap between its scores, picture by picture; those above only say which are wanted. */
  mcut: z.boolean(),
  merge: MergeMode,
  order: UnionOrder,
  /** Tags that are never given; `*` stands for any text. */
  exclude: z.array(z.string()),
  keepUnderscores: z.boolean(),
});
export type AutotagOptions = z.infer<typeof AutotagOptions>;

/** What the taggers' own authors recommend; ratings, qualities and the file's own facts are left out. */
export function defaultOptions(family: TaggerFamily): AutotagOptions {
  const [general, character] = USUAL[family];
  const none = { copyright: null, artist: null, meta: null, rating: null, quality: null, model: null };
  return {
    thresholds: { general, character, ...none },
    mcut: false,
    merge: "append",
    order: "score",
    exclude: [],
    keepUnderscores: false,
  };
}

const USUAL: Record<TaggerFamily, readonly [general: number, character: number]> = {
  wd: [0.35, 0.85],
  cl: [0.55, 0.6],
  deepdanbooru: [0.5, 0.5],
};
