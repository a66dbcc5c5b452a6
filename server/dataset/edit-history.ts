import { editIds, type Journal, type JournalEntry, readEntries, readJournal } from "./journal.js";

/** The edits of a data set as they follow from each other; a journal is read when it is asked for. */
export type EditHistory = {
  /** Oldest first. */
  ids: readonly string[];
  journal(id: string): Journal | null;
  /** True for an edit that a later one took back, unless that one was taken back in turn. */
  isUndone(id: string): boolean;
  /** The edit itself, what it takes back, what that took back, and so on: of an edit one, of an undo two, of a redo three. */
  chainOf(id: string): string[];
  /** The newest edit that is not undone and is no undo itself; null when there is none. */
  undoable(): string | null;
  /** The newest undo that is not undone and that no new edit follows; null when there is none. */
  redoable(): string | null;
};

export function openHistory(root: string): EditHistory {
  const ids = editIds(root);
  const journals = new Map<string, Journal | null>();
  const journal = (id: string): Journal | null => {
    const known = journals.get(id);
    if (known !== undefined) return known;
    const read = readJournal(root, id);
    journals.set(id, read);
    return read;
  };
  /** From the newest to this one, which edits are taken back. */
  const undone = new Set<string>();
  let looked = ids.length;
  const lookBackTo = (index: number): void => {
    while (looked > index) {
      const one = journal(ids[--looked] ?? "");
      if (one?.state === "done" && one.undoes !== undefined && !undone.has(one.id)) undone.add(one.undoes);
    }
  };
  const isUndone = (id: string): boolean => {
    lookBackTo(Math.max(0, ids.indexOf(id)));
    return undone.has(id);
  };
  const chainOf = (id: string): string[] => {
    const undoes = journal(id)?.undoes;
    return undoes === undefined ? [id] : [id, ...chainOf(undoes)];
  };
  const newest = (wanted: "edit" | "undo"): string | null => {
    for (let index = ids.length - 1; index >= 0; index--) {
      const id = ids[index] ?? "";
      if (journal(id)?.state !== "done" || isUndone(id)) continue;
      const depth = chainOf(id).length - 1;
      if (depth === 0) return wanted === "edit" ? id : null;
      if (wanted === "undo" && depth % 2 === 1) return id;
    }
    return null;
  };
  return { ids, journal, isUndone, chainOf, undoable: () => newest("edit"), redoable: () => newest("undo") };
}

/** The newest edit after `id` that changed one of these files and still holds; edits and their undos cancel each other out. */
export function laterChange(root: string, history: EditHistory, id: string, entries: readonly JournalEntry[]): Journal | null {
  const paths = new Set(entries.flatMap(pathsOf));
  const later = history.ids.slice(history.ids.indexOf(id) + 1);
  const cancelled = new Set<string>();
  for (const other of later.toReversed()) {
    const journal = history.journal(other);
    if (journal?.state !== "done" || cancelled.has(other)) continue;
    if (journal.undoes !== undefined && later.includes(journal.undoes)) cancelled.add(journal.undoes);
    else if (readEntries(root, other).some((entry) => pathsOf(entry).some((path) => paths.has(path)))) return journal;
  }
  return null;
}

export function pathsOf({ path, from }: JournalEntry): string[] {
  return from === undefined ? [path] : [path, from];
}
