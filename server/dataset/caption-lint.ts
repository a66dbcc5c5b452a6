import { withoutRepetitions } from "./tags.js";

/**
 * One line of a caption as trainers want it: tags apart by ", ", no repetitions, no HTML entities, no escaped brackets, spaces
 * instead of underscores (but not in the trigger word or in kaomoji), ASCII commas, single spaces.
 */
export function lintLine(line: string, triggerWord: string): string {
  const cleaned = unescapeAll(line)
    .split(",")
    .map((part) => {
      const kept = lintTag(part, { keepUnderscores: true });
      return kept === triggerWord ? kept : lintTag(part, { keepUnderscores: false });
    });
  return withoutRepetitions(cleaned.filter((tag) => tag !== "")).join(", ");
}

/** One tag in the same form. */
export function lintTag(tag: string, { keepUnderscores }: { keepUnderscores: boolean }): string {
  const plain = squeeze(unescapeAll(tag));
  return keepUnderscores || isKaomoji(plain) ? plain : squeeze(plain.replaceAll("_", " "));
}

/** True when `lintLine` would change more than a missing space after a comma or white space at the ends. */
export function hasLint(line: string, triggerWord: string): boolean {
  if (isPlainLine(line)) return false;
  return line.trim().replace(/,(?=\S)/g, ", ") !== lintLine(line, triggerWord);
}

/** Nearly all lines of a tidy data set are, which spares them the long way: letters and the like, one space between words, no tag twice. */
export function isPlainLine(line: string): boolean {
  if (!PLAIN_LINE.test(line)) return false;
  const tags = line.split(", ");
  return new Set(tags).size === tags.length;
}

const PLAIN_LINE =
  /^[a-z0-9.:;'()!?/+*<>=^~-]+(?: [a-z0-9.:;'()!?/+*<>=^~-]+)*(?:, [a-z0-9.:;'()!?/+*<>=^~-]+(?: [a-z0-9.:;'()!?/+*<>=^~-]+)*)*$/;

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/** Entities may hide entities, and a comma or a backslash may hide in one: until nothing changes. */
function unescapeAll(text: string): string {
  let before: string;
  let after = text;
  do {
    before = after;
    after = before
      // At once, because each round would only take one layer off "&amp;amp;amp;lt;".
      .replace(/&(?:amp;)+/gi, "&")
      .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(lt|gt|quot|apos|nbsp));/gi, entity)
      .replace(/\\+(?=[()[\]{}])/g, "")
      .replace(/[，、﹐︐]/g, ",");
  } while (after !== before);
  return after;
}

function entity(whole: string, decimal?: string, hex?: string, name?: string): string {
  if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
  const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number.parseInt(decimal, 10);
  const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : whole;
}

function squeeze(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** `^_^`, `0_0`, `>_<`, `||_||`, `o_o`: an underscore between two equal or no letters. */
function isKaomoji(tag: string): boolean {
  return /^(.)_\1$/u.test(tag) || (tag.includes("_") && (tag.length <= 3 || !/[\p{L}\p{N}]/u.test(tag)));
}
