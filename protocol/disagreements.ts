import { z } from "zod";
import { spellingKey } from "./merge-caption.js";
import type { PostTags } from "./post.js";
import { type LabelScore, scoreStep, type TaggerLabel } from "./tag-scores.js";
import { tagText } from "./tag-text.js";

/** `doubted`: the caption says it and the tagger hardly sees it; `missed`: the tagger is sure and neither caption nor booru says it. */
export const DisagreementKind = z.enum(["doubted", "missed"]);
export type DisagreementKind = z.infer<typeof DisagreementKind>;

/** One tag of one picture about which caption and tagger differ. `score` is the tagger's, 0…1. */
export const Disagreement = z.object({ image: z.string(), tag: z.string(), kind: DisagreementKind, score: z.number() });
export type Disagreement = z.infer<typeof Disagreement>;

export type DisagreementPicture = {
  image: string;
  tags: readonly string[];
  /** What the booru said, where the picture came from one. */
  post: PostTags | null;
  scores: readonly LabelScore[];
  /** Tags that a person has judged already, by `settledKey`. */
  settled: ReadonlySet<string>;
};

export type DisagreementLimits = { low: number; high: number };
export const usualLimits: DisagreementLimits = { low: 0.1, high: 0.9 };

/** What is about the picture itself; a file's facts and a post's rating are no matter of sight. */
const JUDGED: ReadonlySet<string> = new Set(["general", "character"]);

/**
 * Where the caption of a picture and a tagger with these labels differ. The trigger word and what the tagger has no name for are left out.
 * Make it once and use it for every picture; `byStrength` sorts what it finds.
 */
export function disagreementFinder({
  labels,
  triggerWord,
  limits = usualLimits,
}: {
  labels: readonly TaggerLabel[];
  triggerWord: string;
  limits?: DisagreementLimits;
}): (picture: DisagreementPicture) => Disagreement[] {
  const judged = new Map<number, { key: string; text: string }>();
  for (const [index, [name, category]] of labels.entries())
    if (name !== "" && JUDGED.has(category)) judged.set(index, { key: spellingKey(name), text: tagText(name, false) });
  const labelOf = new Map([...judged].map(([index, { key }]) => [key, index]));
  const trigger = spellingKey(triggerWord);
  const [low, high] = [scoreStep(limits.low), scoreStep(limits.high)];
  return ({ image, tags, post, scores, settled }) => {
    const scoreOf = new Map(scores.map(({ label, score }) => [label, score]));
    const said = new Map(tags.map((tag) => [spellingKey(tag), tag]));
    const doubted = [...said].flatMap(([key, tag]): Disagreement[] => {
      const label = key === trigger ? undefined : labelOf.get(key);
      const score = label === undefined ? low : (scoreOf.get(label) ?? 0);
      return score >= low ? [] : [{ image, tag, kind: "doubted", score: score / 255 }];
    });
    const booru = new Set(Object.values(post ?? {}).flatMap((ofCategory) => ofCategory.map(spellingKey)));
    const missed = scores.flatMap(({ label, score }): Disagreement[] => {
      const named = score > high ? judged.get(label) : undefined;
      if (named === undefined || said.has(named.key) || booru.has(named.key) || named.key === trigger) return [];
      return [{ image, tag: named.text, kind: "missed", score: score / 255 }];
    });
    return [...doubted, ...missed].filter((one) => !settled.has(settledKey(one)));
  };
}

/** The strongest first, whatever their kind. */
export function byStrength(a: Disagreement, b: Disagreement): number {
  return strength(b) - strength(a) || compare(a.tag, b.tag) || compare(a.image, b.image);
}

/** How far apart the two are: 1 when one is certain of it and the other of the contrary. */
function strength({ kind, score }: Pick<Disagreement, "kind" | "score">): number {
  return kind === "doubted" ? 1 - score : score;
}

/** By what a judgement about a picture is remembered. */
export function settledKey({ kind, tag }: Pick<Disagreement, "kind" | "tag">): string {
  return `${kind} ${spellingKey(tag)}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
