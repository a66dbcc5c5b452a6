import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { MASKS } from "./list-masks.js";
import { baseName, captionNames, isPictureName } from "./picture-names.js";

/** The names of the files of one folder of a data set and of its folder of masks. */
export type FolderNames = { below: string; files: readonly string[]; masks: readonly string[] };

/** `below` is a subset's name, "." for the root. A folder that does not exist holds nothing. */
export async function readFolderNames(root: string, below: string): Promise<FolderNames> {
  const folder = join(root, below);
  const [files, masks] = await Promise.all([namesOf(folder), namesOf(join(folder, MASKS))]);
  return { below, files, masks };
}

/**
 * Files that belong to a picture and go where it goes: captions, the sidecar of its origin, its mask; as paths relative to its folder. What two
 * pictures of one name share (`a.png` and `a.jpg` with `a.txt`) is left out of the first list and stands in `shared`.
 */
export function companionsOf(name: string, { files, masks }: FolderNames): { own: string[]; shared: string[] } {
  const stem = baseName(name).toLowerCase();
  const [text = "", caption = "", ...named] = captionNames(name).map((one) => one.toLowerCase());
  const ofStem = new Set([text, caption, `${stem}.json`]);
  const ofName = new Set([...named, `${name.toLowerCase()}.json`]);
  const byStem = [
    ...files.filter((file) => ofStem.has(file.toLowerCase())),
    ...masks.filter((mask) => isPictureName(mask) && baseName(mask).toLowerCase() === stem).map((mask) => `${MASKS}/${mask}`),
  ];
  const byName = files.filter((file) => ofName.has(file.toLowerCase()) && !ofStem.has(file.toLowerCase()));
  const isShared = files.some((other) => other !== name && isPictureName(other) && baseName(other).toLowerCase() === stem);
  return isShared ? { own: byName, shared: byStem } : { own: [...byStem, ...byName], shared: [] };
}

async function namesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.flatMap((entry) => (entry.isFile() && !entry.name.startsWith(".") ? [entry.name] : []));
}
