import { resolve } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import { inTurn } from "./edit-lock.js";
import { type Journal, type JournalEntry, readJournals } from "./journal.js";
import { recoverInTurn } from "./recover.js";
import { restoreOriginals } from "./restore.js";

/**
 * Undoes the newest edit of a data set, or the named one, by putting the original files back byte for byte. `undone` is
 * the edit's id, null when there is nothing to undo. Throws `not_found` for an unknown edit and `bad_request` when a
 * newer edit changed the same files.
 */
export async function undoEdit(root: string, editId?: string): Promise<{ undone: string | null }> {
  const folder = resolve(root);
  return await inTurn(folder, async () => {
    await recoverInTurn(folder);
    const journals = await readJournals(folder);
    const index = editId === undefined ? journals.length - 1 : journals.findIndex(({ id }) => id === editId);
    const journal = journals[index];
    if (journal === undefined) {
      if (editId === undefined) return { undone: null };
      throw new FailureError("not_found", `Expected an edit "${editId}" to undo, but there is none; it may have been undone already.`);
    }
    refuseOverlap(journal, journals.slice(index + 1));
    await restoreOriginals(folder, journal);
    return { undone: journal.id };
  });
}

function refuseOverlap(journal: Journal, newer: readonly Journal[]): void {
  const paths = new Set(journal.entries.flatMap(pathsOf));
  const later = newer.findLast(({ entries }) => entries.flatMap(pathsOf).some((path) => paths.has(path)));
  if (later === undefined) return;
  throw new FailureError(
    "bad_request",
    `Expected to undo edit ${journal.id}, but edit ${later.id} (${later.label}) changed the same files later; undo that one first.`,
  );
}

function pathsOf({ path, from }: JournalEntry): string[] {
  return from === undefined ? [path] : [path, from];
}
