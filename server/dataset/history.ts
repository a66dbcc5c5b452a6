import { resolve } from "node:path";
import type { History, HistoryEntry } from "../../protocol/history.js";
import { type EditHistory, openHistory } from "./edit-history.js";
import { inTurn } from "./edit-lock.js";
import { recoverInTurn } from "./recover.js";

/** The edits of a data set, newest first; of those older than `before` when it is given. An edit that a crash cut off is taken back first. */
export async function datasetHistory(
  root: string,
  { before, limit = 100 }: { before?: string | undefined; limit?: number } = {},
): Promise<History> {
  const folder = resolve(root);
  return await inTurn(folder, async () => {
    await recoverInTurn(folder);
    const history = openHistory(folder);
    const end = before === undefined ? history.ids.length : Math.max(0, history.ids.indexOf(before));
    const ids = history.ids.slice(Math.max(0, end - limit), end).reverse();
    return {
      entries: ids.flatMap((id) => entryOf(history, id)),
      more: end > limit,
      undo: history.undoable(),
      redo: history.redoable(),
    };
  });
}

function entryOf(history: EditHistory, id: string): HistoryEntry[] {
  const journal = history.journal(id);
  if (journal === null) return [];
  const { label, createdAt, state, undoes, rollsBackTo, files } = journal;
  return [
    {
      id,
      label,
      createdAt,
      state: state === "begun" ? "running" : state,
      undone: history.isUndone(id),
      undoes: undoes ?? null,
      rollsBackTo: rollsBackTo ?? null,
      ...files,
    },
  ];
}
