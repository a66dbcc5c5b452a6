/** Equal for tags that a user would call the same: case and underscores do not matter. */
export function tagKey(tag: string): string {
  return tag
    .toLowerCase()
    .replace(/[_\s]+/g, " ")
    .trim();
}
