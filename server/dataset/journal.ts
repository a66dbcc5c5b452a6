import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { compare } from "./list-folder.js";
import { writeAtomically } from "./write-atomically.js";

/** Folder of a data set in which originals wait for an undo. */
export const ORIGINALS = ".originals";

/**
 * One file that an edit replaced (`write`), made (`create`), took away (`remove`) or moved here from `from` (`move`). `sha256` is of the new
 * content; a file that only moved needs none, for it is its own original.
 */
export const JournalEntry = z.object({
  kind: z.enum(["write", "create", "remove", "move"]),
  path: z.string(),
  sha256: z.string().nullable(),
  from: z.string().optional(),
});
export type JournalEntry = z.infer<typeof JournalEntry>;

/**
 * `<root>/.originals/<id>/journal.json`. `begun`: files may be half changed, by process `pid`; `done`: all are changed;
 * `undoing`: originals are going back. Written before the first file is touched.
 */
export const Journal = z.object({
  id: z.string(),
  label: z.string(),
  createdAt: z.int(),
  pid: z.int(),
  state: z.enum(["begun", "done", "undoing"]),
  entries: z.array(JournalEntry),
});
export type Journal = z.infer<typeof Journal>;

export function editFolder(root: string, id: string): string {
  return join(root, ORIGINALS, id);
}

export async function writeJournal(root: string, journal: Journal): Promise<void> {
  await writeAtomically(join(editFolder(root, journal.id), "journal.json"), JSON.stringify(journal, null, 1));
}

/** Journals of all edits that can be undone, oldest first. */
export async function readJournals(root: string): Promise<Journal[]> {
  // Without the folder there was no edit.
  const ids = await readdir(join(root, ORIGINALS)).catch(() => []);
  const journals = await Promise.all(ids.filter((id) => EDIT_ID.test(id)).map((id) => readJournal(root, id)));
  return journals.filter((journal) => journal !== null).sort((a, b) => compare(a.id, b.id));
}

/** Ids sort by age; the letters at the end keep an id from coming back after an undo. */
export const EDIT_ID = /^\d{6}-[0-9a-f]{6}$/;

/** Null when there is none, or none that can be understood. */
export async function readJournal(root: string, id: string): Promise<Journal | null> {
  try {
    return Journal.parse(JSON.parse(await readFile(join(editFolder(root, id), "journal.json"), "utf8")));
  } catch {
    // Absent before the edit begins; never half written, but perhaps of another version.
    return null;
  }
}
