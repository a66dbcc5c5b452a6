import type { ProblemCode } from "../../protocol/dataset.js";
import { tagKey } from "../../protocol/tag-key.js";
import type { Fingerprint } from "./fingerprint.js";
import { isRegularisation } from "./regularisation.js";
import type { ScannedImage } from "./scan-folder.js";
import { splitTags } from "./tags.js";

/** Codes of what a picture shows that teaches little or something else, from its coarse looks and its tags, in the order of the contract. */
export function lookProblems({ facts, caption, subset }: ScannedImage): ProblemCode[] {
  if (!facts.ok || isRegularisation(subset)) return [];
  const { tone, isGrey } = looksOf(facts.fingerprint);
  const hints = new Set(caption === null ? [] : splitTags(caption.text).map(hintOf));
  const singles = [...hints].filter((hint) => hint !== null && SINGLE.has(hint)).length;
  const codes: ProblemCode[] = [];
  if (tone !== null) codes.push(tone);
  if ((isGrey && tone === null) || hints.has("grey")) codes.push("monochrome");
  if (hints.has("comic")) codes.push("comic");
  if (hints.has("several") || singles > 1) codes.push("several_characters");
  return codes;
}

/** Below this many pictures a background that repeats is chance. */
const MIN_PICTURES = 8;
/** Share of the pictures from which on a background is learned together with the subject. */
const SAME_SHARE = 0.7;

/** The pictures with the plain background that most of the set has; none when there is no such background. */
export function sameBackground(images: readonly ScannedImage[]): ReadonlySet<string> {
  const trained = images.filter(({ facts, subset }) => facts.ok && !isRegularisation(subset));
  if (trained.length < MIN_PICTURES) return new Set();
  const byTone = new Map<number, string[]>();
  for (const { id, facts } of trained) {
    const border = facts.ok ? looksOf(facts.fingerprint).border : null;
    if (border === null) continue;
    byTone.set(border, [...(byTone.get(border) ?? []), id]);
  }
  const most = [...byTone.values()].reduce<string[]>((best, one) => (one.length > best.length ? one : best), []);
  return new Set(most.length >= SAME_SHARE * trained.length ? most : []);
}

type Looks = {
  tone: "low_information" | "dark" | "light" | null;
  isGrey: boolean;
  /** The tone of a plain border, in sixteenths of the grey scale; null for a border that shows something. */
  border: number | null;
};

const known = new WeakMap<Fingerprint, Looks>();

function looksOf(fingerprint: Fingerprint): Looks {
  const before = known.get(fingerprint);
  if (before !== undefined) return before;
  const grey = Buffer.from(fingerprint.detail, "hex");
  const few = Math.floor(0.05 * grey.length);
  const [brighter, darker] = [countOf(grey, (value) => value >= DARK), countOf(grey, (value) => value <= LIGHT)];
  const tone = fingerprint.flat ? "low_information" : brighter <= few ? "dark" : darker <= few ? "light" : null;
  const looks = { tone, isGrey: isGrey(Buffer.from(fingerprint.colours, "hex")), border: borderOf(grey) } as const;
  known.set(fingerprint, looks);
  return looks;
}

/** Grey values that nearly all parts of a picture stay below or above. */
const DARK = 48;
const LIGHT = 208;
/** Difference of colour channels that a scan's or a JPEG's tint may have. */
const GREY_TINT = 5;

function countOf(values: Buffer, isMeant: (value: number) => boolean): number {
  let count = 0;
  for (const value of values) if (isMeant(value)) count += 1;
  return count;
}

function isGrey(rgb: Buffer): boolean {
  for (let i = 0; i + 2 < rgb.length; i += 3) {
    const [red = 0, green = 0, blue = 0] = rgb.subarray(i, i + 3);
    if (Math.max(red, green, blue) - Math.min(red, green, blue) > GREY_TINT) return false;
  }
  return true;
}

const SIDE = 16;
const PLAIN = 6;

/** The upper, left and right border: at the lower one stands the subject. */
function borderOf(grey: Buffer): number | null {
  const border: number[] = [];
  for (let i = 0; i < grey.length; i++) {
    const [row, column] = [Math.floor(i / SIDE), i % SIDE];
    const isBorder = row === 0 || ((column === 0 || column === SIDE - 1) && row < SIDE / 2);
    if (isBorder) border.push(grey[i] ?? 0);
  }
  const mean = border.reduce((sum, value) => sum + value, 0) / border.length;
  return border.every((value) => Math.abs(value - mean) <= PLAIN) ? Math.min(15, Math.round(mean / 16)) : null;
}

type Hint = "grey" | "comic" | "several" | "1girl" | "1boy" | "1other" | null;

const GREY = /^(?:monochrome|gr[ea]yscale|lineart)$/;
const COMIC = /^(?:comic|[1-9]koma|multiple [2-9]koma|comic panel|panels|manga page|doujinshi)$/;
const SEVERAL = /^(?:[2-9]|[1-9]\d)\+?(?:girls|boys|others)$|^multiple (?:girls|boys|others)$|^(?:crowd|everyone|group picture)$/;
const SINGLE: ReadonlySet<Hint> = new Set<Hint>(["1girl", "1boy", "1other"]);

/** What a tag tells of these things; kept, because a large data set asks for the same few thousand tags half a million times. */
function hintOf(tag: string): Hint {
  const before = hints.get(tag);
  if (before !== undefined) return before;
  const key = tagKey(tag);
  const single = key === "1girl" || key === "1boy" || key === "1other" ? key : null;
  const hint = GREY.test(key) ? "grey" : COMIC.test(key) ? "comic" : SEVERAL.test(key) ? "several" : single;
  if (hints.size >= MOST_HINTS) hints.clear();
  hints.set(tag, hint);
  return hint;
}

const hints = new Map<string, Hint>();
const MOST_HINTS = 50_000;
