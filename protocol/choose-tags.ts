import type { AutotagOptions } from "./autotag-options.js";
import { tagPattern } from "./tag-pattern.js";
import { type LabelCategory, type LabelScore, LEAST_SCORE, scoreStep, type TaggerLabel } from "./tag-scores.js";
import { tagText } from "./tag-text.js";

/** A tag that the tagger gives a picture; `score` 0…1. */
export type ChosenTag = { tag: string; category: LabelCategory; score: number };

/** Below this the widest gap says nothing of a character. */
const LEAST_CHARACTER_CUT = 0.15;

/** Of these a picture has exactly one. */
const SINGLE: ReadonlySet<LabelCategory> = new Set(["rating", "quality"]);

const RANK: readonly LabelCategory[] = ["character", "copyright", "artist", "general", "meta", "model", "quality", "rating"];

/**
 * Which tags a tagger with these labels gives a picture with these scores: characters first, and in each category the surest first.
 * Make it once and use it for every picture.
 */
export function tagChooser(labels: readonly TaggerLabel[], options: AutotagOptions): (scores: readonly LabelScore[]) => ChosenTag[] {
  const excluded = options.exclude.filter((pattern) => pattern.trim() !== "").map(tagPattern);
  const texts = labels.map(([name, category]) => textOf(name, category, options.keepUnderscores));
  const isWanted = texts.map((text) => text !== "" && !excluded.some((isMeant) => isMeant(text)));
  const sizes = new Map<LabelCategory, number>();
  for (const [, category] of labels) sizes.set(category, (sizes.get(category) ?? 0) + 1);
  return (scores) => {
    const byCategory = new Map<LabelCategory, LabelScore[]>();
    for (const score of scores) {
      const category = labels[score.label]?.[1];
      if (category === undefined || (options.thresholds[category] ?? null) === null) continue;
      const group = byCategory.get(category);
      if (group === undefined) byCategory.set(category, [score]);
      else group.push(score);
    }
    return RANK.flatMap((category) => {
      const sorted = (byCategory.get(category) ?? []).sort((a, b) => b.score - a.score || a.label - b.label);
      const chosen = sureOnes(sorted, { category, size: sizes.get(category) ?? 0, options });
      return chosen
        .filter(({ label }) => isWanted[label])
        .map(({ label, score }) => ({ tag: texts[label] ?? "", category, score: score / 255 }));
    });
  };
}

/** For tables and sorting: characters, copyright, artists, general, then what is not about the picture. */
export function categoryRank(category: LabelCategory): number {
  return RANK.indexOf(category);
}

function textOf(name: string, category: LabelCategory, keepUnderscores: boolean): string {
  // A comma would make two tags of it.
  return tagText(name, keepUnderscores || category === "rating")
    .replace(/\s*[,，]\s*/g, " ")
    .trim();
}

type Choice = { category: LabelCategory; size: number; options: AutotagOptions };

function sureOnes(sorted: LabelScore[], { category, size, options }: Choice): LabelScore[] {
  const given = options.thresholds[category] ?? 1;
  if (SINGLE.has(category)) return sorted.slice(0, 1).filter(({ score }) => score >= scoreStep(given));
  if (!options.mcut) return sorted.filter(({ score }) => score >= scoreStep(given));
  const cut = widestGap(
    sorted.map(({ score }) => score),
    size,
  );
  const least = category === "character" ? LEAST_CHARACTER_CUT * 255 : 0;
  return sorted.filter(({ score }) => score > Math.max(cut, least));
}

/** The middle of the widest gap between neighbours (MCut of Largeron, Moulin and Géry); scores that were not kept lie just below the least. */
function widestGap(sorted: readonly number[], size: number): number {
  const all = size > sorted.length ? [...sorted, LEAST_SCORE - 1] : sorted;
  let [widest, cut] = [-1, 0];
  for (const [index, score] of all.entries()) {
    const next = all[index + 1];
    if (next === undefined || score - next <= widest) continue;
    widest = score - next;
    cut = (score + next) / 2;
  }
  return cut;
}
