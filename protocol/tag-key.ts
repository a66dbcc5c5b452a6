/** Equal for tags that a user would call the same: case and underscores do not matter. */
export function tagKey(tag: string): string {
  if (PLAIN.test(tag)) return tag;
  return tag
    .toLowerCase()
    .replace(/[_\s]+/g, " ")
    .trim();
}

/** Nearly all tags are their own key, and millions are asked for. */
const PLAIN = /^[!-@[-^`-~]+(?: [!-@[-^`-~]+)*$/;
