import type { ProblemCode } from "../../protocol/dataset.js";
import { tagKey } from "../../protocol/tag-key.js";
import type { DecodedCaption } from "./caption-bytes.js";
import { hasLint, lintLine } from "./caption-lint.js";
import { isCostumeTag, isJunkTag } from "./tag-lists.js";
import { captionLines, joinTags, splitTags, withoutRepetitions } from "./tags.js";

/** What caption fixes need to know: `flattened` is true when one of the caption's pictures was (or will be) filled with white. */
export type CaptionContext = { triggerWord: string; flattened: boolean };

/** One thing that can be wrong in a caption's text. `fix` returns an equal text when nothing is. */
export type CaptionFixer = { code: ProblemCode; fix: (text: string, context: CaptionContext) => string };

/**
 * In the order in which they run: each later one may rely on the earlier ones, and none brings back what an earlier one
 * cured, so that one pass is enough and a second pass changes nothing.
 */
export const captionFixers: readonly CaptionFixer[] = [
  { code: "caption_multi_line", fix: joinLines },
  { code: "caption_lint", fix: lint },
  { code: "transparent", fix: renameTransparent },
  { code: "junk_tags", fix: (text, { triggerWord }) => dropTags(text, triggerWord, isJunkTag) },
  { code: "costume_tags", fix: (text, { triggerWord }) => dropTags(text, triggerWord, (tag) => isCostumeTag(tag, triggerWord)) },
  { code: "empty_caption", fix: fillEmpty },
  { code: "trigger_not_first", fix: putTriggerFirst },
];

/** Codes of what is wrong with a caption; `caption` is null when the file is missing. */
export function captionProblems(caption: DecodedCaption | null, triggerWord: string): ProblemCode[] {
  if (caption === null) return ["no_caption"];
  const codes: ProblemCode[] = [];
  if (caption.bom) codes.push("caption_bom");
  if (caption.encoding !== null) codes.push("caption_encoding");
  if (captionLines(caption.text).length === 0) return [...codes, "empty_caption"];
  const context: CaptionContext = { triggerWord, flattened: false };
  return [...codes, ...captionFixers.filter(({ fix }) => fix(caption.text, context) !== caption.text).map(({ code }) => code)];
}

function joinLines(text: string): string {
  const lines = captionLines(text);
  return lines.length > 1 ? joinTags(lines.flatMap(splitTags)) : text;
}

function lint(text: string, { triggerWord }: CaptionContext): string {
  const lines = captionLines(text);
  if (!lines.some((line) => hasLint(line, triggerWord))) return text;
  return lines.map((line) => lintLine(line, triggerWord)).join("\n");
}

const TRANSPARENT = "transparent background";

function renameTransparent(text: string, { triggerWord, flattened }: CaptionContext): string {
  if (!flattened || triggerWord === TRANSPARENT) return text;
  return editTags(text, (tags) => {
    if (!tags.some((tag) => tagKey(tag) === TRANSPARENT)) return tags;
    return withoutRepetitions(tags.flatMap((tag) => (tagKey(tag) === TRANSPARENT ? ["white background", "simple background"] : [tag])));
  });
}

function dropTags(text: string, triggerWord: string, isUnwanted: (tag: string) => boolean): string {
  return editTags(text, (tags) => tags.filter((tag) => tagKey(tag) === tagKey(triggerWord) || !isUnwanted(tag)));
}

function fillEmpty(text: string, { triggerWord }: CaptionContext): string {
  return captionLines(text).length === 0 && triggerWord !== "" ? triggerWord : text;
}

function putTriggerFirst(text: string, { triggerWord }: CaptionContext): string {
  const [first, ...others] = captionLines(text);
  if (triggerWord === "" || first === undefined) return text;
  const moved = editTags(first, (tags) => [triggerWord, ...tags.filter((tag) => tagKey(tag) !== tagKey(triggerWord))]);
  return moved === first ? text : [moved, ...others].join("\n");
}

/** Line by line, so that a caption of several lines keeps them; a line whose tags stay the same keeps its spacing. */
function editTags(text: string, edit: (tags: string[]) => string[]): string {
  const lines = captionLines(text);
  const edited = lines.map((line) => {
    const tags = splitTags(line);
    const result = edit(tags);
    return joinTags(result) === joinTags(tags) ? line : joinTags(result);
  });
  return edited.every((line, i) => line === lines[i]) ? text : edited.filter((line) => line !== "").join("\n");
}
