import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import { inTurn } from "./edit-lock.js";
import { type EditSession, openEdit } from "./edit-session.js";
import { type ListedPicture, listFolder } from "./list-folder.js";
import { rejectImages } from "./move-images.js";
import { textName } from "./picture-names.js";
import { recoverInTurn } from "./recover.js";
import { checkTriggerWord, DATASET_FILE, datasetFileWith, readTriggerWord } from "./trigger-word.js";

/** Writes a picture's caption (UTF-8). `image` is an id of the scan. Undone like a fix. Throws `not_found`. */
export async function setCaption(root: string, image: string, caption: string): Promise<{ editId: string }> {
  return await editPicture(root, image, "caption", async (edit, picture) => {
    await edit.write(picture.caption ?? textName(picture.id), caption.normalize("NFC"));
  });
}

/** Moves a picture and all that belongs to it to the data set's trash. Undone like a fix. Throws `not_found`. */
export async function rejectImage(root: string, image: string): Promise<{ editId: string }> {
  const { editId } = await rejectImages(root, [image]);
  if (editId === null) throw new Error("a rejected picture changed nothing");
  return { editId };
}

/** Stores the word that calls the concept; "" for none. Undone like a fix. Throws `bad_request` for a word that is no single tag. */
export async function setTriggerWord(root: string, word: string): Promise<void> {
  const folder = resolve(root);
  const triggerWord = checkTriggerWord(word);
  await inTurn(folder, async () => {
    const facts = await stat(folder).catch(() => null);
    if (!facts?.isDirectory())
      throw new FailureError("dataset_not_found", `Expected a data set at ${folder}, but there is no such folder; check the path.`);
    await recoverInTurn(folder);
    if (triggerWord === (await readTriggerWord(folder))) return;
    const edit = await openEdit(folder, triggerWord === "" ? "triggerWord" : `triggerWord ${triggerWord}`);
    try {
      await edit.write(DATASET_FILE, await datasetFileWith(folder, triggerWord));
      await edit.commit();
    } catch (error) {
      await edit.abandon();
      throw error;
    }
  });
}

type PictureEdit = (edit: EditSession, picture: ListedPicture, others: ListedPicture[]) => Promise<void>;

async function editPicture(root: string, image: string, label: string, change: PictureEdit): Promise<{ editId: string }> {
  const folder = resolve(root);
  return await inTurn(folder, async () => {
    await recoverInTurn(folder);
    const { pictures } = await listFolder(folder);
    const picture = pictures.find(({ id }) => id === image);
    if (picture === undefined)
      throw new FailureError("not_found", `Expected a picture "${image}" in ${folder}, but there is none; scan the data set again.`);
    const edit = await openEdit(folder, `${label} ${image}`);
    try {
      await change(
        edit,
        picture,
        pictures.filter((other) => other !== picture),
      );
      const editId = await edit.commit();
      if (editId === null) throw new Error("an edit of a picture changed nothing");
      return { editId };
    } catch (error) {
      await edit.abandon();
      throw error;
    }
  });
}
