import { tagKey } from "../../protocol/tag-key.js";

/** True for tags about the file or the post instead of the picture: size, source, commentary, requests, ratings. */
export function isJunkTag(tag: string): boolean {
  const before = knownJunk.get(tag);
  if (before !== undefined) return before;
  const key = tagKey(tag);
  const isJunk = JUNK.has(key) || JUNK_PATTERNS.some((pattern) => pattern.test(key));
  if (knownJunk.size >= MOST_KNOWN) knownJunk.clear();
  knownJunk.set(tag, isJunk);
  return isJunk;
}

/** A large data set asks for the same few thousand tags half a million times. */
const knownJunk = new Map<string, boolean>();
const MOST_KNOWN = 50_000;

/** True for tags that say how a costume differs from the usual one, or that name a costume by its full booru title. */
export function isCostumeTag(tag: string, triggerWord: string): boolean {
  const key = tagKey(tag);
  const name = tagKey(triggerWord);
  if (name !== "" && key.startsWith(`${name} (`) && key.endsWith(")")) return true;
  return COSTUME.has(key) || COSTUME_PATTERNS.some((pattern) => pattern.test(key));
}

/** True for tags that name text painted over the picture: a list of pictures to clean rather than tags to delete. */
export function isOverlayTag(tag: string): boolean {
  const key = tagKey(tag);
  return OVERLAY.has(key) || /^(.+ )?(username|watermark|text)$/.test(key);
}

const JUNK = new Set([
  // size and quality of the file
  "absurdres",
  "incredibly absurdres",
  "highres",
  "lowres",
  "wide image",
  "tall image",
  "huge filesize",
  "scan",
  "scan artifacts",
  // commentary and translation
  "commentary",
  "untranslated",
  "translated",
  "partially translated",
  "hard translated",
  "check translation",
  "check commentary",
  "annotated",
  "partially annotated",
  // source and post
  "bad id",
  "bad link",
  "bad source",
  "bad hash",
  "md5 mismatch",
  "duplicate",
  "pixel-perfect duplicate",
  "non-web source",
  "source larger",
  "source smaller",
  "resolution mismatch",
  "image sample",
  "third-party edit",
  "third-party source",
  "revision",
  "variant set",
  "has bad revision",
  "has downscaled revision",
  "exif rotation",
  // requests and provenance
  "tagme",
  "artist name",
  "commission",
  "spoilers",
  "game cg",
  "paid reward available",
  "paid reward",
  "photoshop (medium)",
  // moving pictures
  "animated",
  "animated gif",
  "animated png",
  "video",
  "sound",
  "flash",
  "ugoira",
  "looping animation",
  "non-repeating animation",
  // ratings that taggers add
  "general",
  "sensitive",
  "questionable",
  "explicit",
]);

const JUNK_PATTERNS = [
  /^.+ (request|commentary)$/,
  /^(bad|pixiv|twitter|lofter|tumblr|deviantart|nijie|weibo) .*\b(id|sample|link)$/,
  /^(pixiv|skeb|vgen|indie virtual youtuber) commission$/,
  /^rating\s*:/,
  /^check .+ (source|artist|character|copyright)$/,
];

const COSTUME = new Set(["adapted costume", "contemporary", "cosplay", "crossover", "parody", "style parody", "virtual youtuber"]);

const COSTUME_PATTERNS = [
  /^(official |unofficial )?alternate .+$/,
  /^.+ \(cosplay\)$/,
  /^genderswap( \((mtf|ftm)\))?$/,
  // name (outfit) (series)
  /^[^()]+ \([^()]+\) \([^()]+\)$/,
];

const OVERLAY = new Set([
  "signature",
  "web address",
  "dated",
  "copyright name",
  "character name",
  "logo",
  "artist logo",
  "speech bubble",
  "thought bubble",
  "subtitled",
  "fake screenshot",
]);
