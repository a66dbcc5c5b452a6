import { resolve } from "node:path";
import { openHistory } from "./edit-history.js";
import { inTurn } from "./edit-lock.js";
import { openEdit } from "./edit-session.js";
import { filesBefore, momentIndex } from "./moments.js";
import { recoverInTurn } from "./recover.js";
import { restoreFile } from "./undo.js";

/**
 * Brings every file that was edited since back to what it was right after edit `editId` ("" for the beginning). This is itself an edit, which can
 * be undone; `editId` of the answer is null when nothing was edited since. Throws `not_found` for an unknown edit.
 */
export async function rollBackDataset(root: string, editId: string): Promise<{ editId: string | null }> {
  const folder = resolve(root);
  return await inTurn(folder, async () => {
    await recoverInTurn(folder);
    const history = openHistory(folder);
    const files = filesBefore(folder, history, momentIndex(history, editId), history.ids.length);
    if (files.size === 0) return { editId: null };
    const label = editId === "" ? "rollBack" : `rollBack ${editId}`;
    const edit = await openEdit(folder, label, { rollsBackTo: editId });
    try {
      for (const [path, kept] of files) await restoreFile(folder, edit, path, kept);
      return { editId: await edit.commit() };
    } catch (error) {
      await edit.abandon();
      throw error;
    }
  });
}
