import { posix, resolve } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { PictureMove } from "../../protocol/sorting.js";
import { type FolderNames, readFolderNames } from "./companions.js";
import { inTurn } from "./edit-lock.js";
import { type EditSession, openEdit } from "./edit-session.js";
import { isPictureName } from "./picture-names.js";
import { recoverInTurn } from "./recover.js";

/** `editId` is null when nothing had to be changed. */
export type Edited = { editId: string | null; moves: PictureMove[] };

/** A picture by the subset it lies in and its file's name. */
export type ImagePlace = { below: string; name: string };

/** What a change of pictures works with. Folders are read once, and only those that are asked for. */
export type ImageEdit = {
  root: string;
  edit: EditSession;
  /** What lay in a subset's folder before the edit. */
  folder(below: string): Promise<FolderNames>;
  /** The same without the pictures that this edit has dealt with already. */
  remaining(below: string): Promise<FolderNames>;
};

/** Changes pictures, each by `change`, as one edit. `images` are ids of the scan. Throws `not_found` before anything is changed. */
export async function editImages(
  root: string,
  { label, images }: { label: string; images: readonly string[] },
  change: (work: ImageEdit, place: ImagePlace) => Promise<PictureMove | null>,
): Promise<Edited> {
  const base = resolve(root);
  return await inTurn(base, async () => {
    await recoverInTurn(base);
    const folders = new Map<string, Promise<FolderNames>>();
    const done = new Set<string>();
    const folder = (below: string) => {
      const names = folders.get(below) ?? readFolderNames(base, below);
      folders.set(below, names);
      return names;
    };
    const remaining = async (below: string): Promise<FolderNames> => {
      const names = await folder(below);
      return done.size === 0 ? names : { ...names, files: names.files.filter((name) => !done.has(pathOf(below, name))) };
    };
    const places = await Promise.all([...new Set(images)].map((id) => placeOf(base, id, folder)));
    const edit = await openEdit(base, label);
    try {
      const moves: PictureMove[] = [];
      for (const place of places) {
        const move = await change({ root: base, edit, folder, remaining }, place);
        done.add(pathOf(place.below, place.name));
        if (move !== null) moves.push(move);
      }
      return { editId: await edit.commit(), moves };
    } catch (error) {
      await edit.abandon();
      throw error;
    }
  });
}

/** Path below the root of a file of a subset. */
export function pathOf(below: string, name: string): string {
  return below === "." ? name : `${below}/${name}`;
}

async function placeOf(root: string, id: string, folder: (below: string) => Promise<FolderNames>): Promise<ImagePlace> {
  const place = { below: posix.dirname(id), name: posix.basename(id) };
  const isInside = !id.split("/").some((part) => part === ".." || part === "" || part.startsWith("."));
  if (isInside && isPictureName(place.name) && (await folder(place.below)).files.includes(place.name)) return place;
  throw new FailureError("not_found", `Expected a picture "${id}" in ${root}, but there is none; scan the data set again.`);
}
