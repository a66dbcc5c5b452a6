/** How a booru's tag is written in a caption: with spaces, except where the underscores draw a face. */
export function tagText(name: string, keepUnderscores: boolean): string {
  return keepUnderscores || name.length <= LONGEST_FACE || FACES.has(name) ? name : name.replaceAll("_", " ");
}

/** Names this short have their underscores for another reason than for want of a space. */
const LONGEST_FACE = 3;
const FACES = new Set(["(o)_(o)", "<o>_<o>", "<|>_<|>", "||_||", "(;_;)", "(>_<)", "(^_^)", "\\(^o^)/_", "._.;"]);
