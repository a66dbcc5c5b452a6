import { tagKey } from "../../protocol/tag-key.js";

/** The tags of a caption: parts between commas or line ends, trimmed, empty ones left out. */
export function splitTags(text: string): string[] {
  return text
    .split(/[,\r\n]/)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}

export function joinTags(tags: readonly string[]): string {
  return tags.join(", ");
}

/** The tags without later repetitions. */
export function withoutRepetitions(tags: readonly string[]): string[] {
  const seen = new Set<string>();
  return tags.filter((tag) => {
    const key = tagKey(tag);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Lines of a caption that hold anything; one for an ordinary caption, none for an empty one. */
export function captionLines(text: string): string[] {
  return text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "");
}
