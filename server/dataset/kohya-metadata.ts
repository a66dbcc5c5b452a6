import { z } from "zod";
import { baseName } from "./picture-names.js";

/** Captions from the metadata JSON of sd-scripts (`meta_cap.json`, `meta_lat.json`), by the pictures' names and the keys that the file has. */
export type KohyaMetadata = ReadonlyMap<string, ReadonlyMap<string, string>>;

const Entry = z.looseObject({ caption: z.unknown().optional(), tags: z.unknown().optional() });
const Metadata = z.record(z.string(), Entry);

/**
 * Reads `{"<picture's path or name>": {"caption": …, "tags": …}}` as `finetune/merge_captions_to_metadata.py` and its sisters write it. With
 * both, the caption stands before the tags, as in sd-scripts. Null for another kind of JSON.
 */
export function readKohyaMetadata(text: string): KohyaMetadata | null {
  const parsed = Metadata.safeParse(parseJson(text));
  if (!parsed.success) return null;
  const byName = new Map<string, Map<string, string>>();
  for (const [key, { caption, tags }] of Object.entries(parsed.data)) {
    const words = [firstOf(caption), firstOf(tags)].filter((part) => part !== "");
    if (words.length === 0) continue;
    const keys = byName.get(nameOf(keyOf(key))) ?? new Map<string, string>();
    byName.set(nameOf(keyOf(key)), keys.set(keyOf(key), words.join(", ")));
  }
  return byName.size > 0 ? byName : null;
}

/** The caption of a picture by its path below the source: by the whole path, else by its name, as sd-scripts finds it. */
export function kohyaCaption(metadata: KohyaMetadata, path: string): string | null {
  const plain = keyOf(path);
  const keys = [...(metadata.get(nameOf(plain)) ?? [])];
  // Absolute paths of another machine end with the path below the folder, or at least with the name.
  const whole = keys.find(([key]) => key === plain || key.endsWith(`/${plain}`));
  return (whole ?? (keys.length === 1 ? keys[0] : undefined))?.[1] ?? null;
}

function nameOf(key: string): string {
  return key.split("/").at(-1) ?? "";
}

function keyOf(path: string): string {
  const plain = path.replaceAll("\\", "/").normalize("NFC").toLowerCase();
  return /\.(png|jpe?g|webp|bmp|gif|avif|tiff?)$/.test(plain) ? baseName(plain) : plain;
}

/** sd-scripts also takes lists, of which the first is used. */
function firstOf(value: unknown): string {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" ? first.trim() : "";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // another file's business
  }
}
