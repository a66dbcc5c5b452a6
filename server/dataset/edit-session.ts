import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { commitSteps, type EditHead, type Planned } from "./commit-edit.js";
import { inSlices } from "./in-slices.js";
import { begunFile, editFolder, editIds, type Journal } from "./journal.js";
import { copyOrLink, hashOf, isTextName } from "./kept-files.js";
import { writeFailure } from "./write-atomically.js";

/** Changes of files below a data set's folder that happen together or not at all, and can be undone. */
export type EditSession = {
  /** Plans new content for a file (path below the root, with `/`); nothing is visible before `commit`. */
  write(path: string, content: string | Uint8Array): Promise<void>;
  /** Plans to take a file away. */
  remove(path: string): Promise<void>;
  /** Plans to move a file to a path where nothing lies; its bytes are not touched. */
  move(from: string, to: string): void;
  /** Plans the content of another file (its path on the machine), which stays. */
  place(path: string, source: string): void;
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
  place: () => {},
  commit: async () => null,
  abandon: async () => {},
};

/** Edits that this one takes back, or the one to which it goes back; such an edit stands in the history even when it changes nothing. */
export type EditPurpose = Pick<Journal, "undoes" | "rollsBackTo">;

/** Starts an edit. Call within the folder's turn (`inTurn`), after `recoverInTurn`. `label` says what it does. */
export async function openEdit(root: string, label: string, purpose: EditPurpose = {}): Promise<EditSession> {
  const head = newHead(root, label, purpose);
  const folder = editFolder(root, head.id);
  const planned = new Map<string, Planned>();
  let staged = 0;
  const stagedFile = () => {
    begin(root, head);
    return join(folder, "new", String(staged++));
  };
  return {
    async write(path, content) {
      const bytes = Buffer.from(content);
      if (isTextName(path)) planned.set(path, { kind: "bytes", bytes });
      else planned.set(path, { kind: "staged", file: await stage(stagedFile(), bytes), sha256: hashOf(bytes) });
    },
    remove: async (path) => {
      // What this very edit made only has to be forgotten.
      if (existsSync(join(root, path))) planned.set(path, { kind: "remove" });
      else planned.delete(path);
    },
    move: (from, to) => void planned.set(to, { kind: "move", from }),
    place(path, source) {
      const file = stagedFile();
      mkdirSync(dirname(file), { recursive: true });
      copyOrLink(source, file);
      planned.set(path, { kind: "staged", file, sha256: null });
    },
    commit: async () => {
      if (planned.size === 0 && Object.keys(purpose).length === 0) {
        forget(root, head.id);
        return null;
      }
      begin(root, head);
      await inSlices(commitSteps(root, head, planned));
      return head.id;
    },
    abandon: async () => {
      // Only what never began is thrown away: from the journal on, the folder holds originals.
      if (!existsSync(join(folder, "journal.json"))) forget(root, head.id);
    },
  };
}

/** Everything about a new edit but its changes. */
export function newHead(root: string, label: string, purpose: EditPurpose = {}): EditHead {
  const newest = Number(editIds(root).at(-1)?.slice(0, 6) ?? 0);
  const id = `${String(newest + 1).padStart(6, "0")}-${randomBytes(3).toString("hex")}`;
  return { id, label, createdAt: Date.now(), pid: process.pid, ...purpose };
}

/** From here on a crash leaves something to clear away; the process id keeps others from doing so while it lives. */
export function begin(root: string, { id, pid }: EditHead): void {
  if (existsSync(begunFile(root, id))) return;
  try {
    mkdirSync(editFolder(root, id), { recursive: true });
    writeFileSync(begunFile(root, id), String(pid));
  } catch (error) {
    throw writeFailure(error, editFolder(root, id));
  }
}

export function forget(root: string, id: string): void {
  rmSync(editFolder(root, id), { recursive: true, force: true });
  rmSync(begunFile(root, id), { force: true });
}

async function stage(file: string, bytes: Buffer): Promise<string> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
    return file;
  } catch (error) {
    throw writeFailure(error, file);
  }
}
