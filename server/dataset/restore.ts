import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { editFolder, type Journal, type JournalEntry, ORIGINALS, writeJournal } from "./journal.js";

/**
 * Puts the originals of an edit back and forgets the edit. Can be cut off and run again. A file that somebody changed
 * after the edit is not lost: it goes to `.originals/changed-since/<edit>/`.
 */
export async function restoreOriginals(root: string, journal: Journal): Promise<void> {
  await writeJournal(root, { ...journal, state: "undoing", pid: process.pid });
  for (const entry of [...journal.entries].reverse()) await restoreOne(root, journal.id, entry);
  await rm(editFolder(root, journal.id), { recursive: true, force: true });
}

async function restoreOne(root: string, id: string, { kind, path, sha256, from }: JournalEntry): Promise<void> {
  const file = join(root, path);
  if (from !== undefined) return await moveBack(root, path, from);
  const original = join(editFolder(root, id), "files", path);
  const present = await readFile(file).catch(() => null);
  const kept = kind === "create" ? null : await readFile(original).catch(() => null);
  // Without a kept original this entry was restored before the undo was cut off.
  if (kind !== "create" && kept === null) return;
  const isOurs = present === null || hashOf(present) === sha256 || kept?.equals(present) === true;
  if (!isOurs) await move(file, join(root, ORIGINALS, "changed-since", id, path));
  if (kind === "create") await rm(file, { force: true });
  else await move(original, file);
}

/** Not when it was moved back already, or had not been moved when the edit was cut off; what lies in its old place meanwhile stays. */
async function moveBack(root: string, path: string, from: string): Promise<void> {
  const [isHere, isThere] = await Promise.all([path, from].map(async (one) => (await stat(join(root, one)).catch(() => null)) !== null));
  if (isHere && !isThere) await move(join(root, path), join(root, from));
}

async function move(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
}

export function hashOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
