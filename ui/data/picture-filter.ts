import type { DatasetImage } from "../../protocol/dataset.js";
import { parsePictureFilter } from "../../protocol/picture-filter.js";

/** The pictures that a text means; `error` says what can't be understood in it, and then no picture is hidden. */
export type FilteredPictures = { images: readonly DatasetImage[]; error: string | null };

/** An expression of tags and attributes. Words that name no tag, as while one is being typed, are looked for in names and captions. */
export function filterByText(images: readonly DatasetImage[], text: string): FilteredPictures {
  if (text.trim() === "") return { images, error: null };
  const filter = parsePictureFilter(text);
  if ("error" in filter) return { images: containing(images, text) ?? images, error: filter.error };
  const found = images.filter(filter.test);
  return { images: found.length > 0 ? found : (containing(images, text) ?? found), error: null };
}

/** The parts of an expression that are joined by commas at its top, for chips that come and go. */
export function filterParts(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let isQuoted = false;
  let part = "";
  for (const character of text) {
    if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && character === "(") depth += 1;
    else if (!isQuoted && character === ")") depth -= 1;
    if (character === "," && depth <= 0 && !isQuoted) {
      parts.push(part);
      part = "";
    } else part += character;
  }
  return [...parts, part].map((one) => one.trim()).filter(Boolean);
}

/** The expression with this part, or without it when it was there. */
export function togglePart(text: string, part: string): string {
  const parts = filterParts(text);
  return (parts.includes(part) ? parts.filter((one) => one !== part) : [...parts, part]).join(", ");
}

/** Null for a text with operators, which is not meant so. */
function containing(images: readonly DatasetImage[], text: string): DatasetImage[] | null {
  const wanted = text.trim().toLowerCase();
  if (/[,&|!():"*<>=]|(^|\s)(and|or|not|-\S*)(\s|$)/i.test(wanted)) return null;
  const words = wanted.split(/\s+/);
  return images.filter((image) => {
    const within = `${image.id}\n${image.caption ?? ""}`.toLowerCase();
    return words.every((word) => within.includes(word));
  });
}
