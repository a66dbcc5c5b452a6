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

/** Where captions and a tagger differ, the strongest first. The trigger word and what the tagger has no name for are left out. */
export function findDisagreements(
  pictures: readonly DisagreementPicture[],
  { labels, triggerWord, limits = usualLimits }: { labels: readonly TaggerLabel[]; triggerWord: string; limits?: DisagreementLimits },
): Disagreement[] {
  const known = new Map<string, number>();
  for (const [index, [name, category]] of labels.entries()) if (name !== "" && JUDGED.has(category)) known.set(spellingKey(name), index);
  const trigger = spellingKey(triggerWord);
  const found = pictures.flatMap((picture) => {
    const scores = new Map(picture.scores.map(({ label, score }) => [label, score]));
    const said = new Set(picture.tags.map(spellingKey));
    const doubted = [...said].flatMap((key): Disagreement[] => {
      const label = key === trigger ? undefined : known.get(key);
      if (label === undefined) return [];
      const score = scores.get(label) ?? 0;
      if (score >= scoreStep(limits.low)) return [];
      const tag = picture.tags.find((one) => spellingKey(one) === key) ?? key;
      return [{ image: picture.image, tag, kind: "doubted", score: score / 255 }];
    });
    const booru = new Set(Object.values(picture.post ?? {}).flatMap((tags) => tags.map(spellingKey)));
    const missed = picture.scores.flatMap(({ label, score }): Disagreement[] => {
      const [name = "", category = "general"] = labels[label] ?? [];
      const key = spellingKey(name);
      const isSilent = name !== "" && !said.has(key) && !booru.has(key) && key !== trigger;
      if (!isSilent || !JUDGED.has(category) || score <= scoreStep(limits.high)) return [];
      return [{ image: picture.image, tag: tagText(name, false), kind: "missed", score: score / 255 }];
    });
    return [...doubted, ...missed].filter((one) => !picture.settled.has(settledKey(one)));
  });
  return found.sort((a, b) => strength(b) - strength(a) || compare(a.tag, b.tag) || compare(a.image, b.image));
}

/** How far apart the two are: 1 when one is certain of it and the other of the contrary. */
export function strength({ kind, score }: Pick<Disagreement, "kind" | "score">): number {
  return kind === "doubted" ? 1 - score : score;
}

/** By what a judgement about a picture is remembered. */
export function settledKey({ kind, tag }: Pick<Disagreement, "kind" | "tag">): string {
  return `${kind} ${spellingKey(tag)}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
