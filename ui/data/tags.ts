import type { DatasetImage } from "../../protocol/dataset.js";

export type TagCount = { tag: string; count: number };

/** How many pictures have each tag, most frequent first, then by alphabet. */
export function countTags(images: readonly DatasetImage[]): TagCount[] {
  const counts = new Map<string, number>();
  for (const image of images) for (const tag of new Set(image.tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].map(([tag, count]) => ({ tag, count })).sort((a, b) => b.count - a.count || a.tag.localeCompare(b.tag));
}

export function splitCaption(caption: string): string[] {
  return caption
    .split(",")
    .map((tag) => tag.trim())
    .filter(Boolean);
}

export function joinTags(tags: readonly string[]): string {
  return tags.join(", ");
}

/** A text cut into its tags, each with whether the other text lacks it; a text without commas is one piece. */
export function markChanges(text: string, other: string): { tag: string; isChanged: boolean }[] {
  const others = new Set(splitCaption(other));
  return splitCaption(text).map((tag) => ({ tag, isChanged: !others.has(tag) }));
}
