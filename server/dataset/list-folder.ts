import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Subset } from "../../protocol/dataset.js";
import { FailureError } from "../../protocol/errors.js";
import { listMasks, MASKS } from "./list-masks.js";
import { baseName, captionNames, isPictureName, parseSubsetName } from "./picture-names.js";

/** A picture file of a folder with the caption and the mask that belong to it. Paths are below the folder, with `/`. */
export type ListedPicture = { id: string; subset: string; caption: string | null; mask: string | null };
export type ListedFolder = { pictures: ListedPicture[]; subsets: Subset[] };

const MAX_DEPTH = 16;

/**
 * The pictures of a data set by their names, sorted by id. kohya's `10_name` folders are subsets with those repeats, folders
 * inside them inherit the repeats, other folders are subsets with one repeat, and loose pictures are the subset ".".
 * A folder `masks` beside pictures holds their masks. Hidden folders and links are passed by. Throws `dataset_not_found` or `dataset_empty`.
 */
export async function listFolder(root: string): Promise<ListedFolder> {
  const facts = await stat(root).catch(() => null);
  if (facts === null)
    throw new FailureError("dataset_not_found", `Expected a folder with pictures at ${root}, but there is nothing; check the path.`);
  if (!facts.isDirectory()) {
    throw new FailureError(
      "dataset_not_found",
      `Expected a folder with pictures at ${root}, but it is a file; give the folder that holds it.`,
    );
  }
  const folders = await walk(root, "", 0);
  const pictures = folders.flatMap((folder) => folder.pictures);
  if (pictures.length === 0) {
    throw new FailureError(
      "dataset_empty",
      `Expected pictures (PNG, JPEG or WebP) in ${root}, but found none; put some there or choose another folder.`,
    );
  }
  const subsets = folders.flatMap((folder) => (folder.pictures.length > 0 ? [subsetOf(folder)] : []));
  return { pictures: pictures.sort((a, b) => compare(a.id, b.id)), subsets: subsets.sort((a, b) => compare(a.name, b.name)) };
}

/** By code units, so that the order does not depend on the system's language. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

type WalkedFolder = { name: string; pictures: ListedPicture[] };

async function walk(root: string, below: string, depth: number): Promise<WalkedFolder[]> {
  const entries = (await readdir(join(root, below), { withFileTypes: true })).filter((entry) => !entry.name.startsWith("."));
  const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  const byLowerCase = new Map(files.map((name) => [name.toLowerCase(), name]));
  const prefix = below === "" ? "" : `${below}/`;
  const masks = files.some(isPictureName) ? await listMasks(root, below) : null;
  const pictures = files.filter(isPictureName).map((name): ListedPicture => {
    const caption = captionNames(name)
      .map((candidate) => byLowerCase.get(candidate.toLowerCase()))
      .find((found) => found !== undefined);
    const mask = masks?.get(baseName(name).toLowerCase()) ?? null;
    return { id: prefix + name, subset: below === "" ? "." : below, caption: caption === undefined ? null : prefix + caption, mask };
  });
  const inner = entries.filter((entry) => entry.isDirectory() && depth < MAX_DEPTH && !(masks !== null && entry.name === MASKS));
  const deeper = await Promise.all(inner.map((entry) => walk(root, prefix + entry.name, depth + 1)));
  return [{ name: below === "" ? "." : below, pictures }, ...deeper.flat()];
}

function subsetOf({ name, pictures }: WalkedFolder): Subset {
  const parsed = name
    .split("/")
    .map(parseSubsetName)
    .findLast((part) => part !== null);
  return { name, repeats: parsed?.repeats ?? 1, classTokens: parsed?.classTokens ?? "", images: pictures.length };
}
