import { resolve } from "node:path";
import type { FixChange, FixReport, ProblemCode } from "../../protocol/dataset.js";
import { ProblemCode as Codes } from "../../protocol/dataset.js";
import { inTurn } from "./edit-lock.js";
import { DRY_SESSION, type EditSession, openEdit } from "./edit-session.js";
import { fixCaptions } from "./fix-captions.js";
import { removeDuplicates } from "./fix-duplicates.js";
import { fixPictures } from "./fix-pictures.js";
import { compare } from "./list-folder.js";
import { recoverInTurn } from "./recover.js";
import { type ScannedImage, scanFolder } from "./scan-folder.js";
import { checkTriggerWord, DATASET_FILE, datasetFileWith, readTriggerWord } from "./trigger-word.js";

export type FixOptions = {
  /** Codes to cure; all that can be cured when absent. */
  only?: readonly ProblemCode[] | undefined;
  /** Ids of the pictures to cure; all when absent. */
  images?: readonly string[] | undefined;
  /** Becomes the data set's trigger word. */
  triggerWord?: string | undefined;
  /** Only tell what would be done. */
  dryRun?: boolean | undefined;
};

/** What the steps of a fix share. `isWanted` says whether this problem of this picture is to be cured. */
export type FixWork = {
  root: string;
  edit: EditSession;
  triggerWord: string;
  isWanted: (code: ProblemCode, id: string) => boolean;
  /** From the new path of a picture that got another extension to its old one, by which the user knows it. */
  renames: Map<string, string>;
};

/**
 * Cures what a scan found: pictures first (turned, shrunk, filled, cropped, converted), then repetitions by what the pictures look like
 * now, then captions. Originals are kept, the whole fix is one edit that `undoEdit` takes back, and a second fix finds
 * nothing more to do. Throws as `scanDataset` does, and `bad_request` for a trigger word that is no single tag.
 */
export async function fixDataset(root: string, options: FixOptions = {}): Promise<FixReport> {
  const folder = resolve(root);
  return await inTurn(folder, async () => {
    await recoverInTurn(folder);
    const { images } = await scanFolder(folder);
    const stored = await readTriggerWord(folder);
    const triggerWord = options.triggerWord === undefined ? stored : checkTriggerWord(options.triggerWord);
    const edit = options.dryRun ? DRY_SESSION : await openEdit(folder, "fix");
    try {
      const renames = new Map<string, string>();
      const changes = await fixAll(images, { root: folder, edit, triggerWord, renames, isWanted: wantedBy(options, renames) });
      if (triggerWord !== stored) await edit.write(DATASET_FILE, await datasetFileWith(folder, triggerWord));
      return { editId: await edit.commit(), dryRun: options.dryRun ?? false, changes };
    } catch (error) {
      await edit.abandon();
      throw error;
    }
  });
}

async function fixAll(images: ScannedImage[], work: FixWork): Promise<FixChange[]> {
  const pictures = await fixPictures(images, work);
  const duplicates = await removeDuplicates(pictures.images, work);
  const captions = await fixCaptions(duplicates.images, pictures.flattened, work);
  const order = (code: ProblemCode) => Codes.options.indexOf(code);
  return [...pictures.changes, ...duplicates.changes, ...captions].sort(
    (a, b) => compare(a.image, b.image) || order(a.code) - order(b.code),
  );
}

function wantedBy({ only, images }: FixOptions, renames: FixWork["renames"]): FixWork["isWanted"] {
  const codes = only === undefined ? null : new Set(only);
  const ids = images === undefined ? null : new Set(images);
  return (code, id) => (codes?.has(code) ?? true) && (ids?.has(renames.get(id) ?? id) ?? true);
}
