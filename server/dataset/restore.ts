import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { begunFile, editFolder, type Journal, type JournalEntry, ORIGINALS, writeJournal } from "./journal.js";
import { bytesOf, copyOrLink, hashOf, type Kept, openKept } from "./kept-files.js";
import { writeDurably } from "./write-durably.js";

/**
 * Takes back an edit that was cut off, one file a step, and notes so in its journal. Can itself be cut off and run again. A file that
 * somebody changed meanwhile is not lost: it goes to `.originals/changed-since/<edit>/`.
 */
export function* restoreSteps(root: string, journal: Journal, entries: readonly JournalEntry[]): Generator<void, void> {
  const keptOf = openKept(root);
  for (const entry of [...entries].reverse()) {
    if (entry.from !== undefined) moveBack(root, journal.id, entry.path, entry.from);
    else if (entry.kind === "create") takeAway(root, journal.id, entry);
    else putBack(root, journal.id, entry, keptOf(journal.id, entry));
    yield;
  }
  writeJournal(root, { ...journal, state: "takenBack" });
  rmSync(join(editFolder(root, journal.id), "new"), { recursive: true, force: true });
  rmSync(begunFile(root, journal.id), { force: true });
}

function takeAway(root: string, id: string, { path, sha256 }: JournalEntry): void {
  const file = join(root, path);
  if (!existsSync(file)) return;
  if (sha256 !== null && hashOf(readFileSync(file)) === sha256) rmSync(file);
  else setAside(root, id, path);
}

function putBack(root: string, id: string, { path, sha256 }: JournalEntry, kept: Kept | null): void {
  const file = join(root, path);
  if (kept === null || isSame(file, kept)) return;
  if (existsSync(file) && (sha256 === null || hashOf(readFileSync(file)) !== sha256)) setAside(root, id, path);
  place(kept, file, join(editFolder(root, id), "new", "back"));
}

/** Not when it was not moved yet; what lies in its old place meanwhile stays. */
function moveBack(root: string, id: string, path: string, from: string): void {
  const [here, there] = [join(root, path), join(root, from)];
  if (existsSync(here) && !existsSync(there)) {
    mkdirSync(dirname(there), { recursive: true });
    renameSync(here, there);
  } else if (!existsSync(there))
    place({ kind: "file", file: join(editFolder(root, id), "files", from) }, there, join(editFolder(root, id), "new", "back"));
}

/** Whether a file is what an edit has kept, by its bytes. */
export function isSame(file: string, kept: Kept): boolean {
  const facts = statSync(file, { throwIfNoEntry: false });
  if (facts === undefined) return false;
  if (kept.kind === "text") return facts.size === kept.bytes.length && readFileSync(file).equals(kept.bytes);
  const original = statSync(kept.file, { throwIfNoEntry: false });
  if (original === undefined || original.size !== facts.size) return false;
  return (original.ino !== 0 && original.ino === facts.ino) || readFileSync(file).equals(bytesOf(kept));
}

/** By a second name that is then renamed, so that the file is whole at every moment. */
function place(kept: Kept, file: string, temporary: string): void {
  mkdirSync(dirname(file), { recursive: true });
  if (kept.kind === "text") {
    writeDurably(file, kept.bytes);
    return;
  }
  mkdirSync(dirname(temporary), { recursive: true });
  rmSync(temporary, { force: true });
  copyOrLink(kept.file, temporary);
  renameSync(temporary, file);
}

function setAside(root: string, id: string, path: string): void {
  const target = join(root, ORIGINALS, "changed-since", id, path);
  mkdirSync(dirname(target), { recursive: true });
  renameSync(join(root, path), target);
}
