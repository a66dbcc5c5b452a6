import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { compare } from "./list-folder.js";
import { writeDurably } from "./write-durably.js";

/** Folder of a data set in which everything lies that edits replaced. */
export const ORIGINALS = ".originals";

/** Ids sort by age; the letters at the end keep the ids of two processes apart. */
export const EDIT_ID = /^\d{6}-[0-9a-f]{6}$/;

/**
 * One file that an edit replaced (`write`), made (`create`), took away (`remove`) or moved here from `from` (`move`). `sha256` is of the new
 * content where that is known. `kept`: place and length of what it replaced in the file `texts`; without it, that lies in `files/<path>` (for a
 * move `files/<from>`).
 */
export const JournalEntry = z.object({
  kind: z.enum(["write", "create", "remove", "move"]),
  path: z.string(),
  sha256: z.string().nullable(),
  from: z.string().optional(),
  kept: z.tuple([z.int(), z.int()]).optional(),
});
export type JournalEntry = z.infer<typeof JournalEntry>;

/**
 * `<root>/.originals/<id>/journal.json`, one for each edit that ever was. `begun`: files may be half changed, by process `pid`; `done`: all are
 * changed; `takenBack`: it was cut off, and what it had changed already went back. `undoes` is the edit that this one takes back;
 * `rollsBackTo` the one after which everything is again as it was ("" for the beginning).
 */
export const Journal = z.object({
  id: z.string(),
  label: z.string(),
  createdAt: z.int(),
  pid: z.int(),
  state: z.enum(["begun", "done", "takenBack"]),
  undoes: z.string().optional(),
  rollsBackTo: z.string().optional(),
  files: z.object({ captions: z.int(), pictures: z.int(), others: z.int() }),
});
export type Journal = z.infer<typeof Journal>;

const Entries = z.array(JournalEntry);

export function editFolder(root: string, id: string): string {
  return join(root, ORIGINALS, id);
}

/** A file that lies there as long as the edit is not finished, so that nobody has to open the journals of finished ones. */
export function begunFile(root: string, id: string): string {
  return join(root, ORIGINALS, `begun-${id}`);
}

/** Ids of all edits, oldest first. */
export function editIds(root: string): string[] {
  return namesIn(root)
    .filter((name) => EDIT_ID.test(name))
    .sort(compare);
}

/** Ids of the edits that are not finished, oldest first. */
export function begunIds(root: string): string[] {
  return namesIn(root)
    .filter((name) => name.startsWith("begun-"))
    .map((name) => name.slice("begun-".length))
    .filter((id) => EDIT_ID.test(id))
    .sort(compare);
}

export function writeJournal(root: string, journal: Journal): void {
  writeDurably(join(editFolder(root, journal.id), "journal.json"), JSON.stringify(journal));
}

/** Null when there is none, or none that can be understood. */
export function readJournal(root: string, id: string): Journal | null {
  return parsed(Journal, join(editFolder(root, id), "journal.json"));
}

/** Journals of all edits, oldest first. */
export function readJournals(root: string): Journal[] {
  return editIds(root).flatMap((id) => readJournal(root, id) ?? []);
}

export function writeEntries(root: string, id: string, entries: readonly JournalEntry[]): void {
  writeDurably(join(editFolder(root, id), "entries.json"), JSON.stringify(entries));
}

/** What the edit did, in the order in which it was done. */
export function readEntries(root: string, id: string): JournalEntry[] {
  return parsed(Entries, join(editFolder(root, id), "entries.json")) ?? [];
}

function parsed<T>(schema: z.ZodType<T>, file: string): T | null {
  try {
    return schema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // Absent before the edit begins; never half written, but perhaps of another version.
    return null;
  }
}

function namesIn(root: string): string[] {
  try {
    return readdirSync(join(root, ORIGINALS));
  } catch {
    // Without the folder there was no edit.
    return [];
  }
}
