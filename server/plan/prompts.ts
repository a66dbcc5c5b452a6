import type { PlanImage } from "../../protocol/plan.js";
import { tagKey } from "../../protocol/tag-key.js";
import { compare } from "../dataset/list-folder.js";
import { isCostumeTag, isJunkTag, isOverlayTag } from "../dataset/tag-lists.js";
import { splitTags } from "../dataset/tags.js";

/** Prompts whose drift from the base model is measured. */
export const GENERIC_PROMPTS = 8;

/** Things and places that have nothing to do with any subject; also what fills up when a data set has too few tags. */
const NEUTRAL = [
  "a red house, grass, blue sky, outdoors",
  "a green tree, snow, outdoors",
  "a yellow star, night, outdoors",
  "a blue fish, ocean, outdoors",
  "a pink flower, white background, simple background",
  "a red heart, grey background, simple background",
  "two purple circles, yellow background, simple background",
  "a cup on a table, indoors",
  "two birds, sunset, outdoors",
  "a mountain, desert, outdoors",
  "a street with cars, city, outdoors",
  "a bowl of fruit, indoors",
] as const;

/** Places to put a subject in that its own pictures rarely show, the likeliest to look different first. */
const SETTINGS = [
  "night, outdoors",
  "beach, outdoors",
  "snow, outdoors",
  "indoors",
  "grass, blue sky, outdoors",
  "blue background, simple background",
] as const;

// What nearly every picture has belongs to the subject itself.
const COMMON_SHARE = 0.8;
const RARE_SHARE = 0.1;

/**
 * Eight prompts without the trigger word: up to four from the data set's own general tags (those that not nearly every
 * picture has, so that they are not the subject itself), the others from a fixed neutral list. Equal pictures give equal prompts.
 */
export function genericPrompts(images: readonly PlanImage[], triggerWord: string): string[] {
  const { counts, total } = countTags(images, triggerWord);
  const counted = counts
    .filter(({ tag }) => isClassTag(tag))
    .slice(0, 2)
    .map(({ tag }) => tag);
  const varied = counts.filter(({ tag, count }) => !isClassTag(tag) && count < COMMON_SHARE * total).map(({ tag }) => tag);
  const own = [0, 1, 2, 3]
    .map((i) => varied.slice(2 * i, 2 * i + 2))
    .filter((pair) => pair.length === 2)
    .map((pair) => [...counted, ...pair].join(", "));
  const neutral = NEUTRAL.filter((prompt) => !mentions(prompt, triggerWord));
  return [...own, ...neutral].slice(0, GENERIC_PROMPTS);
}

/**
 * What the grid draws when the user wrote no prompts: the subject with its commonest tags, the subject in a setting that its
 * pictures rarely show, and something that has nothing to do with it, in which nothing of the subject should show.
 */
export function gridPrompts(images: readonly PlanImage[], triggerWord: string): string[] {
  const { counts, total } = countTags(images, triggerWord);
  const commonest = counts.slice(0, 4).map(({ tag }) => tag);
  const counted = counts
    .filter(({ tag }) => isClassTag(tag))
    .slice(0, 2)
    .map(({ tag }) => tag);
  const setting = newSetting(counts, total);
  const called = triggerWord === "" ? [] : [triggerWord];
  const plain = [...called, ...commonest].join(", ") || NEUTRAL[0];
  const moved = [...called, ...(counted.length > 0 ? counted : commonest.slice(0, 1)), setting].join(", ");
  const foreign = NEUTRAL.find((prompt) => !mentions(prompt, triggerWord)) ?? setting;
  return [...new Set([plain, moved, foreign])];
}

type Counted = { tag: string; count: number };

/** General tags of the captions with the number of pictures that have them, the commonest first. */
function countTags(images: readonly PlanImage[], triggerWord: string): { counts: Counted[]; total: number } {
  const counts = new Map<string, number>();
  for (const { caption } of images) {
    const general = splitTags(caption)
      .map(tagKey)
      .filter((tag) => isGeneral(tag, triggerWord));
    for (const tag of new Set(general)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }
  const sorted = [...counts].map(([tag, count]) => ({ tag, count })).sort((a, b) => b.count - a.count || compare(a.tag, b.tag));
  return { counts: sorted, total: images.length };
}

/** No name with brackets (a character, an artist), nothing about the file, nothing with the trigger word in it, no whole sentence. */
function isGeneral(tag: string, triggerWord: string): boolean {
  return (
    !/[()]/.test(tag) &&
    tag.length <= 40 &&
    !isJunkTag(tag) &&
    !isOverlayTag(tag) &&
    !isCostumeTag(tag, triggerWord) &&
    !mentions(tag, triggerWord)
  );
}

/** `1girl`, `2boys`, `1creature`, `solo`: what kind of picture it is. */
function isClassTag(tag: string): boolean {
  return /^\d\+?\p{L}+$/u.test(tag) || tag === "solo" || tag === "no humans";
}

function mentions(text: string, triggerWord: string): boolean {
  const word = tagKey(triggerWord);
  return word !== "" && ` ${tagKey(text).replaceAll(",", " ")} `.includes(` ${word} `);
}

function newSetting(counts: readonly Counted[], total: number): string {
  const shareOf = (setting: string) => (counts.find(({ tag }) => tag === setting.split(",")[0])?.count ?? 0) / Math.max(1, total);
  const sorted = [...SETTINGS].sort((a, b) => shareOf(a) - shareOf(b));
  return SETTINGS.find((setting) => shareOf(setting) <= RARE_SHARE) ?? sorted[0] ?? SETTINGS[0];
}
