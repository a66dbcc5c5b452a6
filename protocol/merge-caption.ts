import type { AutotagOptions } from "./autotag-options.js";
import { type ChosenTag, categoryRank } from "./choose-tags.js";
import { tagKey } from "./tag-key.js";

export type CaptionMerge = Pick<AutotagOptions, "merge" | "order"> & {
  /** The tag that calls the concept, which stays first; "" for none. */
  triggerWord: string;
};

/** The caption with the tagger's tags; the same text where nothing is gained, lost or moved. Lines of a caption are alternatives, and each gets them. */
export function mergeCaption(caption: string | null, chosen: readonly ChosenTag[], how: CaptionMerge): string {
  const lines = (caption ?? "").split(/\r\n|\r|\n/).filter((line) => line.trim() !== "");
  if (lines.length === 0 || how.merge === "replace") {
    const before = lines.length === 1 ? splitLine(lines[0] ?? "") : [];
    const after = triggerFirst(distinct(chosen.map(({ tag }) => tag)), how.triggerWord);
    return chosen.length === 0 || (lines.length === 1 && isSame(before, after)) ? (caption ?? "") : after.join(", ");
  }
  if (how.merge === "missing") return caption ?? "";
  const merged = lines.map((line) => mergeLine(line, chosen, how));
  return merged.every((line, index) => line === lines[index]) ? (caption ?? "") : merged.join("\n");
}

/** Tags that `after` has and `before` lacks, and the other way round. */
export function captionDifference(before: string | null, after: string): { gained: string[]; lost: string[] } {
  const [old, now] = [splitCaption(before ?? ""), splitCaption(after)];
  const [oldKeys, nowKeys] = [new Set(old.map(spellingKey)), new Set(now.map(spellingKey))];
  return {
    gained: now.filter((tag) => !oldKeys.has(spellingKey(tag))),
    lost: old.filter((tag) => !nowKeys.has(spellingKey(tag))),
  };
}

/** Equal for one tag however it is spelt: case, underscores and escaped brackets do not matter. */
export function spellingKey(tag: string): string {
  const known = keys.get(tag);
  if (known !== undefined) return known;
  if (keys.size >= MOST_KEYS) keys.clear();
  const key = tagKey(tag.includes("\\") ? tag.replace(/\\([()[\]])/g, "$1") : tag);
  keys.set(tag, key);
  return key;
}

// A data set has few different tags, and a slider that is dragged asks for them millions of times.
const keys = new Map<string, string>();
const MOST_KEYS = 100_000;

/** The tags of a caption, of all its lines. */
export function splitCaption(caption: string): string[] {
  return /[\r\n]/.test(caption) ? caption.split(/\r\n|\r|\n/).flatMap(splitLine) : splitLine(caption);
}

function mergeLine(line: string, chosen: readonly ChosenTag[], { merge, order, triggerWord }: CaptionMerge): string {
  const there = splitLine(line);
  const known = new Set(there.map(spellingKey));
  const fresh = chosen.filter(({ tag }) => !known.has(spellingKey(tag)));
  const trigger = spellingKey(triggerWord);
  const keepsPlace = trigger === "" || spellingKey(there[0] ?? "") === trigger;
  if (merge === "append" && fresh.length > 0 && keepsPlace) {
    // What was there stays letter by letter.
    return `${line.replace(/[\s,，]+$/, "")}, ${distinct(fresh.map(({ tag }) => tag)).join(", ")}`;
  }
  if (merge !== "union" && fresh.length === 0) return line;
  const names = fresh.map(({ tag }) => tag);
  const all =
    merge === "append" ? [...there, ...names] : merge === "prepend" ? [...names, ...there] : inOrder([...there, ...names], chosen, order);
  const after = triggerFirst(distinct(all), triggerWord);
  return isSame(there, after) ? line : after.join(", ");
}

function inOrder(tags: string[], chosen: readonly ChosenTag[], order: AutotagOptions["order"]): string[] {
  const known = new Map(chosen.map((one) => [spellingKey(one.tag), one]));
  const scoreOf = (tag: string) => known.get(spellingKey(tag))?.score ?? 2;
  const rankOf = (tag: string) => {
    const category = known.get(spellingKey(tag))?.category;
    return category === undefined ? categoryRank("general") : categoryRank(category);
  };
  if (order === "alphabet") return tags.toSorted((a, b) => compare(spellingKey(a), spellingKey(b)));
  if (order === "score") return tags.toSorted((a, b) => scoreOf(b) - scoreOf(a));
  return tags.toSorted((a, b) => rankOf(a) - rankOf(b) || scoreOf(b) - scoreOf(a));
}

function triggerFirst(tags: readonly string[], triggerWord: string): string[] {
  if (triggerWord === "") return [...tags];
  const key = spellingKey(triggerWord);
  return [triggerWord, ...tags.filter((tag) => spellingKey(tag) !== key)];
}

function distinct(tags: readonly string[]): string[] {
  const seen = new Set<string>();
  return tags.filter((tag) => {
    const key = spellingKey(tag);
    return !seen.has(key) && seen.add(key);
  });
}

function splitLine(line: string): string[] {
  return line
    .split(/[,，]/)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((tag, index) => tag === b[index]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
