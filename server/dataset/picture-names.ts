import { extname } from "node:path";

/** Extensions, lower case with dot, of files that a user would call a picture, readable or not. */
const PICTURES = new Set([
  ".png",
  ".jpg",
  ".jpeg",
  ".jpe",
  ".jfif",
  ".webp",
  ".gif",
  ".bmp",
  ".tif",
  ".tiff",
  ".avif",
  ".heic",
  ".heif",
  ".jxl",
  ".jp2",
  ".svg",
  ".psd",
]);

/** Caption extensions, the preferred one first. */
export const CAPTION_EXTENSIONS = [".txt", ".caption"] as const;

export function isPictureName(name: string): boolean {
  return PICTURES.has(extname(name).toLowerCase());
}

export function isCaptionName(name: string): boolean {
  return CAPTION_EXTENSIONS.some((extension) => extension === extname(name).toLowerCase());
}

/** True for files in which downloaders and trainers keep what they know of pictures. */
export function isJsonName(name: string): boolean {
  return extname(name).toLowerCase() === ".json";
}

/** The name without its extension. */
export function baseName(name: string): string {
  return name.slice(0, name.length - extname(name).length);
}

/** Number of repeats and class tokens of kohya's folder name `10_lantern keeper`; null for any other name. */
export function parseSubsetName(name: string): { repeats: number; classTokens: string } | null {
  const match = /^(\d{1,6})_(.*)$/.exec(name);
  const repeats = Number(match?.[1]);
  return match === null || repeats < 1 ? null : { repeats, classTokens: (match[2] ?? "").trim() };
}

/** Path of the caption that trainers look for beside a picture. */
export function textName(id: string): string {
  return `${baseName(id)}.txt`;
}

/** True for `a.png.txt` beside `a.png`: we find it, trainers do not. */
export function hasPictureName(captionFile: string, id: string): boolean {
  return captionFile.toLowerCase().startsWith(`${id.toLowerCase()}.`);
}

/** Names under which the caption of picture `name` may lie, the preferred one first; `a.png.txt` is what Grabber writes. */
export function captionNames(name: string): string[] {
  return [baseName(name), name].flatMap((stem) => CAPTION_EXTENSIONS.map((extension) => stem + extension));
}
