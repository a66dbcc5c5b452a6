import { FailureError } from "../../protocol/errors.js";
import type { EditHistory } from "./edit-history.js";
import { readEntries } from "./journal.js";
import { type Kept, openKept } from "./kept-files.js";

/** Place of a moment among the edits: how many of them came before it. `null` is now, "" the beginning. Throws `not_found`. */
export function momentIndex(history: EditHistory, moment: string | null): number {
  if (moment === null) return history.ids.length;
  if (moment === "") return 0;
  const index = history.ids.indexOf(moment);
  if (index < 0)
    throw new FailureError("not_found", `Expected an edit "${moment}", but there is none; look at the history of the data set.`);
  return index + 1;
}

/**
 * What the files held that the edits from `start` to before `end` touched, right before the first of these edits: null for a file that was not
 * there. Edits that were taken back after a crash changed nothing.
 */
export function filesBefore(root: string, history: EditHistory, start: number, end: number): Map<string, Kept | null> {
  const keptOf = openKept(root);
  const files = new Map<string, Kept | null>();
  const note = (path: string, kept: () => Kept | null) => {
    if (!files.has(path)) files.set(path, kept());
  };
  for (const id of history.ids.slice(start, end)) {
    if (history.journal(id)?.state !== "done") continue;
    // Within one edit what goes away is noted before what comes, as it is done.
    for (const entry of readEntries(root, id)) {
      if (entry.from !== undefined) {
        note(entry.from, () => keptOf(id, entry));
        note(entry.path, () => null);
      } else note(entry.path, () => keptOf(id, entry));
    }
  }
  return files;
}
