import { randomBytes } from "node:crypto";
import { copyFile, link, mkdir, readdir, rename, rm, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import { EDIT_ID, editFolder, type Journal, type JournalEntry, ORIGINALS, writeJournal } from "./journal.js";
import { compare } from "./list-folder.js";
import { hashOf, restoreOriginals } from "./restore.js";
import { writeAtomically, writeFailure } from "./write-atomically.js";

/** Changes of files below a data set's folder that happen together or not at all, and can be undone. */
export type EditSession = {
  /** Plans new content for a file (path below the root, with `/`); nothing is visible before `commit`. */
  write(path: string, content: string | Uint8Array): Promise<void>;
  /** Plans to take a file away. */
  remove(path: string): Promise<void>;
  /** Plans to move a file to a path where nothing lies; its bytes are not touched. */
  move(from: string, to: string): void;
  /** Does all of it and returns the edit's id; null when nothing was planned. */
  commit(): Promise<string | null>;
  /** Forgets all of it. */
  abandon(): Promise<void>;
};

/** A session that only pretends, for dry runs. */
export const DRY_SESSION: EditSession = {
  write: async () => {},
  remove: async () => {},
  move: () => {},
  commit: async () => null,
  abandon: async () => {},
};

/** Starts an edit. Call within the folder's turn (`inTurn`), after `recoverInTurn`. `label` says what it does. */
export async function openEdit(root: string, label: string): Promise<EditSession> {
  const id = await nextId(root);
  const folder = editFolder(root, id);
  const planned = new Map<string, string | null>();
  const moved = new Map<string, string>();
  let begun = false;
  const stage = async (path: string, content: string | Uint8Array): Promise<void> => {
    if (!begun) await begin(folder);
    begun = true;
    await stageFile(join(folder, "new", path), content);
    planned.set(path, hashOf(Buffer.from(content)));
  };
  return {
    write: stage,
    remove: async (path) => {
      // What this very edit made only has to be forgotten.
      if (await exists(join(root, path))) planned.set(path, null);
      else planned.delete(path);
    },
    move: (from, to) => void moved.set(to, from),
    commit: async () => {
      if (planned.size + moved.size === 0) {
        await rm(folder, { recursive: true, force: true });
        return null;
      }
      const entries = await Promise.all([...planned].map(([path, sha256]) => entryOf(root, path, sha256)));
      for (const [path, from] of moved) entries.push({ kind: "move", path, sha256: null, from });
      await commitEntries(root, { id, label, createdAt: Date.now(), pid: process.pid, state: "begun", entries });
      return id;
    },
    abandon: () => abandon(folder),
  };
}

/** Not flushed to the disk one by one: until the journal says "done", a crash brings the originals back. */
async function stageFile(staged: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(staged), { recursive: true });
  await writeFile(staged, content).catch((error: unknown) => {
    throw writeFailure(error, staged);
  });
}

/** The process id is kept beside the staged files, so that another process does not clear them away as a crash's remains. */
async function begin(folder: string): Promise<void> {
  await writeAtomically(join(folder, "pid"), String(process.pid));
}

async function nextId(root: string): Promise<string> {
  const ids = (await readdir(join(root, ORIGINALS)).catch(() => [])).filter((id) => EDIT_ID.test(id)).sort(compare);
  const newest = Number(ids.at(-1)?.slice(0, 6) ?? 0);
  return `${String(newest + 1).padStart(6, "0")}-${randomBytes(3).toString("hex")}`;
}

async function entryOf(root: string, path: string, sha256: string | null): Promise<JournalEntry> {
  return { kind: sha256 === null ? "remove" : (await exists(join(root, path))) ? "write" : "create", path, sha256 };
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => null)) !== null;
}

/** Only what never began is thrown away: from the journal on, the folder holds originals. */
async function abandon(folder: string): Promise<void> {
  if (!(await exists(join(folder, "journal.json")))) await rm(folder, { recursive: true, force: true });
}

/** Originals first, then the journal, then the changes, so that a crash at any point leaves enough to go back. */
async function commitEntries(root: string, journal: Journal): Promise<void> {
  const folder = editFolder(root, journal.id);
  for (const { kind, path } of journal.entries) {
    if (kind === "write" || kind === "remove") await keep(join(root, path), join(folder, "files", path));
  }
  await writeJournal(root, journal);
  try {
    for (const { kind, path, from } of journal.entries) {
      if (kind === "remove") await unlink(join(root, path));
      else if (from !== undefined) await moveFile(root, from, path);
      else await put(join(folder, "new", path), join(root, path));
    }
    await writeJournal(root, { ...journal, state: "done" });
  } catch (error) {
    await restoreOriginals(root, journal);
    throw error;
  }
  await rm(join(folder, "new"), { recursive: true, force: true });
  await rm(join(folder, "pid"), { force: true });
}

async function moveFile(root: string, from: string, to: string): Promise<void> {
  if (await exists(join(root, to)))
    throw new FailureError("bad_request", `Expected no file at ${to}, but there is one; scan the data set again.`);
  await put(join(root, from), join(root, to));
}

async function put(staged: string, file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await rename(staged, file);
}

/** A second name for the same bytes costs no room and no time; file systems without such names get a copy. */
async function keep(file: string, original: string): Promise<void> {
  await mkdir(dirname(original), { recursive: true });
  try {
    await link(file, original);
  } catch {
    await copyFile(file, original).catch((error: unknown) => {
      throw writeFailure(error, original);
    });
  }
}
