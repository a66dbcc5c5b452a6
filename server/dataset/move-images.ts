import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { PictureMove } from "../../protocol/sorting.js";
import { companionsOf } from "./companions.js";
import { type Edited, editImages, type ImageEdit, type ImagePlace, pathOf } from "./edit-images.js";
import { safeName } from "./file-name.js";
import { MASKS } from "./list-masks.js";
import { baseName } from "./picture-names.js";

/**
 * Moves pictures with all that belongs to them (caption, mask, sidecars) into a subset's folder, made when needed; "." is the root. One edit,
 * undone like a fix; pictures that lie there already are passed by. A name that is taken there becomes `name-2`.
 * Throws `not_found` for a picture that is not there and `bad_request` for a name that no subset can have.
 */
export async function moveImages(root: string, images: readonly string[], subset: string): Promise<Edited> {
  checkSubset(subset);
  const taken = new Set<string>();
  return await editImages(root, { label: `move ${words(images)} to ${subset}`, images }, async (work, place) => {
    if (place.below === subset) return null;
    const target = await work.folder(subset);
    for (const name of [...target.files, ...target.masks]) taken.add(baseName(name).toLowerCase());
    return await moveOne(work, place, { subset, stem: freeStem(baseName(place.name), taken) });
  });
}

/** Moves pictures with all that belongs to them to the data set's trash. One edit, undone like a fix. Throws `not_found`. */
export async function rejectImages(root: string, images: readonly string[]): Promise<Edited> {
  return await editImages(root, { label: `reject ${words(images)}`, images }, async (work, { below, name }) => {
    const { own } = companionsOf(name, await work.remaining(below));
    for (const one of [name, ...own]) await work.edit.remove(pathOf(below, one));
    return { from: pathOf(below, name), to: null };
  });
}

type Target = { subset: string; stem: string };

async function moveOne(work: ImageEdit, { below, name }: ImagePlace, { subset, stem }: Target): Promise<PictureMove> {
  const there = (companion: string) => {
    const [folder, file] = companion.startsWith(`${MASKS}/`) ? [`${MASKS}/`, companion.slice(MASKS.length + 1)] : ["", companion];
    return pathOf(subset, `${folder}${stem}${file.slice(baseName(name).length)}`);
  };
  const { own, shared } = companionsOf(name, await work.remaining(below));
  for (const one of [name, ...own]) work.edit.move(pathOf(below, one), there(one));
  for (const one of shared) await work.edit.write(there(one), await readFile(join(work.root, below, one)));
  return { from: pathOf(below, name), to: there(name) };
}

/** Judged by the stem, because captions and masks share it. */
function freeStem(stem: string, taken: Set<string>): string {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? stem : `${stem}-${number}`;
    if (taken.has(candidate.toLowerCase())) continue;
    taken.add(candidate.toLowerCase());
    return candidate;
  }
}

function checkSubset(subset: string): void {
  const parts = subset.split("/");
  if (subset === "." || (parts.length <= 8 && parts.every((part) => part !== MASKS && safeName(part) === part))) return;
  throw new FailureError(
    "bad_request",
    `Expected the name of a subset, a folder such as "10_lantern keeper", but got "${subset}"; choose another one.`,
  );
}

function words(images: readonly string[]): string {
  return images.length === 1 ? (images[0] ?? "") : `${images.length} pictures`;
}
