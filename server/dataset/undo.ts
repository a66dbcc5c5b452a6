import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import { laterChange, openHistory } from "./edit-history.js";
import { inTurn } from "./edit-lock.js";
import { type EditSession, openEdit } from "./edit-session.js";
import { type Journal, type JournalEntry, readEntries } from "./journal.js";
import { bytesOf, openKept } from "./kept-files.js";
import { recoverInTurn } from "./recover.js";
import { isSame } from "./restore.js";

/**
 * Undoes the newest edit of a data set that is not undone, or the named one, by putting the original files back byte for byte. This is itself an
 * edit: nothing leaves the history, and undoing an undo does the edit again. `undone` is the edit's id, null when there is nothing to undo.
 * Throws `not_found` for an unknown edit and `bad_request` when it is undone already or a newer edit changed the same files.
 */
export async function undoEdit(root: string, editId?: string): Promise<{ undone: string | null }> {
  return { undone: await takeBack(root, editId, "undo") };
}

/** Does the edit again that was undone last; `redone` is its id, null when none is undone. Throws as `undoEdit` does. */
export async function redoEdit(root: string): Promise<{ redone: string | null }> {
  return { redone: await takeBack(root, undefined, "redo") };
}

async function takeBack(root: string, editId: string | undefined, what: "undo" | "redo"): Promise<string | null> {
  const folder = resolve(root);
  return await inTurn(folder, async () => {
    await recoverInTurn(folder);
    const history = openHistory(folder);
    const id = editId ?? (what === "undo" ? history.undoable() : history.redoable());
    if (id === null) return null;
    const journal = history.journal(id);
    if (journal === null || journal.state !== "done")
      throw new FailureError("not_found", `Expected an edit "${id}" to undo, but there is none; look at the history of the data set.`);
    if (history.isUndone(id))
      throw new FailureError("bad_request", `Expected an edit to undo, but ${id} (${journal.label}) is undone already.`);
    const entries = readEntries(folder, id);
    refuseOverlap(journal, laterChange(folder, history, id, entries));
    const chain = history.chainOf(id);
    await putBack(folder, journal, entries, chain.length % 2 === 1 ? "undo" : "redo");
    return what === "redo" ? (chain.at(-1) ?? id) : id;
  });
}

async function putBack(root: string, journal: Journal, entries: readonly JournalEntry[], word: string): Promise<void> {
  const edit = await openEdit(root, `${word} ${journal.label.replace(/^(undo|redo) /, "")}`, { undoes: journal.id });
  const keptOf = openKept(root);
  try {
    for (const entry of [...entries].reverse()) {
      if (entry.from !== undefined) moveBack(root, edit, { path: entry.path, from: entry.from }, () => keptOf(journal.id, entry));
      else if (entry.kind === "create") await edit.remove(entry.path);
      else await restoreFile(root, edit, entry.path, keptOf(journal.id, entry));
    }
    await edit.commit();
  } catch (error) {
    await edit.abandon();
    throw error;
  }
}

type KeptFile = ReturnType<ReturnType<typeof openKept>>;

/** Plans that a file becomes what was kept of it; null: that it goes. What is so already stays as it is. */
export async function restoreFile(root: string, edit: EditSession, path: string, kept: KeptFile): Promise<void> {
  const file = join(root, path);
  if (kept === null) return await edit.remove(path);
  if (existsSync(file) && isSame(file, kept)) return;
  if (kept.kind === "text") await edit.write(path, bytesOf(kept));
  else edit.place(path, kept.file);
}

/** Not when it was moved back by hand; what lies in its old place meanwhile stays. */
function moveBack(root: string, edit: EditSession, { path, from }: { path: string; from: string }, kept: () => KeptFile): void {
  if (existsSync(join(root, from))) return;
  if (existsSync(join(root, path))) {
    edit.move(path, from);
    return;
  }
  const original = kept();
  if (original?.kind === "file") edit.place(from, original.file);
}

function refuseOverlap(journal: Journal, later: Journal | null): void {
  if (later === null) return;
  throw new FailureError(
    "bad_request",
    `Expected to undo edit ${journal.id}, but edit ${later.id} (${later.label}) changed the same files later; undo that one first.`,
  );
}
