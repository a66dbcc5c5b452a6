import { tagKey } from "./tag-key.js";

/** True for the tags that a pattern means. `*` stands for any run of characters, `\*` for itself; case and underscores do not matter. */
export function tagPattern(pattern: string): (tag: string) => boolean {
  const parts = tagKey(pattern.replaceAll("\\*", LITERAL_STAR))
    .split("*")
    .map((part) => part.replaceAll(LITERAL_STAR, "*"));
  if (parts.length === 1) return remembering((key) => key === parts[0]);
  const expression = new RegExp(`^${parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join(".*")}$`, "u");
  return remembering((key) => expression.test(key));
}

// A private-use character that no tag holds.
const LITERAL_STAR = "\ue000";

/** A data set has few different tags and very many captions, so each tag is looked at once. */
function remembering(test: (key: string) => boolean): (tag: string) => boolean {
  const known = new Map<string, boolean>();
  return (tag) => {
    const answer = known.get(tag);
    if (answer !== undefined) return answer;
    const fresh = test(tagKey(tag));
    known.set(tag, fresh);
    return fresh;
  };
}
