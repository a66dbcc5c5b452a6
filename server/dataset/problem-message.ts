import type { ProblemCode } from "../../protocol/dataset.js";
import { lintLine } from "./caption-lint.js";
import { MAX_DECODED_PIXELS, MAX_PIXELS } from "./decoder.js";
import type { Duplicate } from "./duplicates.js";
import { MAX_RATIO, MIN_SIDE } from "./picture-problems.js";
import type { ScannedImage } from "./scan-folder.js";
import { isCostumeTag, isJunkTag, isOverlayTag } from "./tag-lists.js";
import { captionLines, splitTags } from "./tags.js";

export type MessageContext = { duplicates: readonly Duplicate[]; triggerWord: string };

/** A sentence that says what is wrong with these pictures, and one that says what Fix does or what the user can do. */
export function describeProblem(code: ProblemCode, images: readonly ScannedImage[], context: MessageContext): string {
  return SENTENCES[code](images, context);
}

type Sentence = (images: readonly ScannedImage[], context: MessageContext) => string;

const SENTENCES: Record<ProblemCode, Sentence> = {
  not_an_image: (images) => `Expected a picture, but ${reasons(images)}. It is left out; replace or remove it.`,
  truncated: (images) => `Expected a whole picture, but ${reasons(images)}. It is left out; fetch it again or remove it.`,
  too_large: tooLarge,
  too_small: (images) =>
    `${count(images, "is", "are")} shorter than ${MIN_SIDE} pixels on one side (${names(images)}), which teaches blur. Replace by a larger version or remove.`,
  unsupported_format: unsupported,
  transparent: (images) =>
    `${count(images, "has", "have")} transparent pixels, whose hidden colour other trainers would learn (${names(images)}). Fix fills them with white and renames the tag "transparent background" to "white background, simple background".`,
  beyond_3_to_1: (images) =>
    `${count(images, "is", "are")} longer than ${MAX_RATIO}:1 (${names(images)}), of which training would see a thin strip. Fix crops to ${MAX_RATIO}:1 around the most eye-catching part.`,
  exif_orientation: (images) =>
    `${count(images, "is", "are")} turned only by an EXIF mark that other trainers ignore (${names(images)}). Fix turns the pixels.`,
  near_duplicate: nearDuplicates,
  low_information: (images) =>
    `${count(images, "shows", "show")} hardly more than one tone (${names(images)}), from which nothing can be learned. Look at them and reject what is empty.`,
  dark: (images) =>
    `${count(images, "is", "are")} dark nearly everywhere (${names(images)}). Brighten with a picture editor, tag the darkness, or reject.`,
  light: (images) =>
    `${count(images, "is", "are")} nearly white everywhere (${names(images)}). Darken with a picture editor, or reject what shows too little.`,
  monochrome: (images) =>
    `${count(images, "has", "have")} no colours (${names(images)}), which a character would lose with them. Tag them "monochrome" or reject them, unless the style is so.`,
  comic: (images) =>
    `${count(images, "is a comic page by its tags", "are comic pages by their tags")} (${names(images)}), which teach panels and bubbles. Crop to one panel, grade as weak, or reject.`,
  several_characters: (images) =>
    `${count(images, "shows", "show")} several characters by the tags (${names(images)}), whose traits would mix with the subject's. Crop to the subject, grade as weak, or reject.`,
  same_background: (images) =>
    `${count(images, "has", "have")} the same plain background (${names(images)}), most of the set, so that it would be learned with the subject. Tag it (such as "white background, simple background"), and add pictures with others.`,
  no_caption: (images, { triggerWord }) =>
    `${count(images, "has", "have")} no caption file (${names(images)}). ${triggerAsCaption(triggerWord)}`,
  empty_caption: (images, { triggerWord }) =>
    `${count(images, "has", "have")} an empty caption, on which other trainers stop (${names(images)}). ${triggerAsCaption(triggerWord)}`,
  caption_bom: (images) =>
    `${count(images, "has", "have")} a byte order mark before the caption, which would become part of the first tag (${names(images)}). Fix removes it.`,
  caption_encoding: (images) =>
    `Expected captions in UTF-8, but ${list(images, ({ captionFile, caption }) => `${captionFile} is in ${caption?.encoding}`)}. Fix rewrites them as UTF-8 with the same text.`,
  caption_multi_line: (images) =>
    `${count(images, "has", "have")} a caption of several lines, of which trainers read only the first (${list(images, ({ id, caption }) => `${id}: ${captionLines(caption?.text ?? "").length} lines`)}). Fix joins them into one.`,
  caption_lint: (images, { triggerWord }) =>
    `${count(images, "has an untidy caption", "have untidy captions")}: repeated tags, underscores, HTML entities, escaped brackets, stray commas or spaces, or a name that trainers don't find (${list(images, (image) => lintExample(image, triggerWord))}). Fix tidies them.`,
  junk_tags: junk,
  costume_tags: (images, { triggerWord }) =>
    `${count(images, "has", "have")} tags about an alternate costume, which cost tokens and blur the subject: ${quoted(tagsOf(images).filter((tag) => isCostumeTag(tag, triggerWord)))}. Fix removes these tags.`,
  trigger_not_first: (images, { triggerWord }) =>
    `${count(images, "has a caption that does", "have captions that do")} not begin with the trigger word "${triggerWord}" (${names(images)}). Fix puts it first.`,
};

function tooLarge(images: readonly ScannedImage[]): string {
  const found = list(images, ({ id, facts }) => `${id} has ${facts.width} × ${facts.height}`);
  const limit = `${MAX_PIXELS / 1e6} million pixels`;
  if (images.some(({ facts }) => facts.ok))
    return `Expected at most ${limit}, but ${found}. Fix shrinks what can be decoded (up to ${Math.floor(MAX_DECODED_PIXELS / 1e6)} million).`;
  return `Expected at most ${limit}, but ${found}. It is left out without being decoded; scale it down or remove it.`;
}

function unsupported(images: readonly ScannedImage[]): string {
  const animated = images.some(({ facts }) => facts.ok && facts.animated) ? "; of a moving picture it keeps the first frame" : "";
  const fixable = images.filter(({ facts }) => facts.ok);
  const others = images.filter(({ facts }) => !facts.ok);
  const parts = [
    fixable.length > 0
      ? `Trainers don't read ${list(fixable, ({ id, facts }) => `${id} (${facts.format.toUpperCase()})`)}. Fix converts to PNG${animated}.`
      : "",
    others.length > 0 ? `Expected PNG, JPEG or WebP, but ${reasons(others)}. Save as PNG with a picture editor, or remove.` : "",
  ];
  return parts.filter((part) => part !== "").join(" ");
}

function nearDuplicates(images: readonly ScannedImage[], { duplicates }: MessageContext): string {
  const pairs = list(images, ({ id }) => {
    const pair = duplicates.find((duplicate) => duplicate.id === id);
    return `${id} ${pair?.mirrored ? "mirrors" : "repeats"} ${pair?.of}`;
  });
  return `${count(images, "shows", "show")} the same as another: ${pairs}. Fix moves the smaller of each pair to the trash.`;
}

function junk(images: readonly ScannedImage[], { triggerWord }: MessageContext): string {
  const found = tagsOf(images).filter((tag) => tag !== triggerWord);
  const overlays = [...new Set(found.filter(isOverlayTag))];
  const kept = overlays.length > 0 ? ` Tags about text in the picture stay (${quoted(overlays)}): clean those pictures first.` : "";
  return `${count(images, "has", "have")} tags about the file or the post instead of the picture: ${quoted(found.filter(isJunkTag))}. Fix removes these tags.${kept}`;
}

function triggerAsCaption(triggerWord: string): string {
  return triggerWord === ""
    ? "Write one, or set a trigger word, which Fix then puts there."
    : `Fix writes the trigger word "${triggerWord}".`;
}

function lintExample({ id, caption, captionFile }: ScannedImage, triggerWord: string): string {
  const line = captionLines(caption?.text ?? "").find((candidate) => candidate !== lintLine(candidate, triggerWord));
  return line === undefined ? `${captionFile}` : `${id}: "${shorten(line.trim())}"`;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function tagsOf(images: readonly ScannedImage[]): string[] {
  return images.flatMap(({ caption }) => splitTags(caption?.text ?? ""));
}

const SHOWN = 5;

/** The commonest of the tags, in quotes. */
function quoted(tags: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  const sorted = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([tag]) => `"${tag}"`);
  return sorted.length > SHOWN ? `${sorted.slice(0, SHOWN).join(", ")} and ${sorted.length - SHOWN} more` : sorted.join(", ");
}

function count(images: readonly ScannedImage[], one: string, many: string): string {
  return images.length === 1 ? `1 picture ${one}` : `${images.length} pictures ${many}`;
}

function names(images: readonly ScannedImage[]): string {
  return list(images, ({ id }) => id);
}

function reasons(images: readonly ScannedImage[]): string {
  return list(images, ({ id, facts }) => `${id} ${facts.ok ? "" : facts.reason}`);
}

function list(images: readonly ScannedImage[], word: (image: ScannedImage) => string): string {
  const words = images.slice(0, SHOWN).map(word).join(", ");
  return images.length > SHOWN ? `${words} and ${images.length - SHOWN} more` : words;
}
