import { closeSync, existsSync, openSync, renameSync, rmSync, unlinkSync, writeSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import { begunFile, editFolder, type Journal, type JournalEntry, writeEntries, writeJournal } from "./journal.js";
import { folderMaker, hashOf, type Keeper, openKeeper } from "./kept-files.js";
import { isCaptionName, isPictureName } from "./picture-names.js";
import { restoreSteps } from "./restore.js";
import { writeFailure } from "./write-atomically.js";

/**
 * What shall become of a file: new bytes (`before` is what it held, when the caller has just read it), a file that waits in the edit's folder, a
 * file that is moved here, or nothing.
 */
export type Planned =
  | { kind: "bytes"; bytes: Buffer; before?: Buffer | undefined }
  | { kind: "staged"; file: string; sha256: string | null }
  | { kind: "move"; from: string }
  | { kind: "remove" };

export type EditHead = Omit<Journal, "state" | "files">;

/**
 * Does a planned edit, one file a step, so that a caller may pause in between. Originals first, then the journal, then the changes: a crash at
 * any point leaves enough to go back. What fails is taken back at once and thrown. The file `begun-<id>` has to lie there already.
 */
export function* commitSteps(root: string, head: EditHead, planned: ReadonlyMap<string, Planned>): Generator<void, void> {
  const folder = editFolder(root, head.id);
  const entries: JournalEntry[] = [];
  const keeper = openKeeper(root, head.id);
  try {
    for (const [path, plan] of ordered(planned)) {
      entries.push(keepOne(root, keeper, path, plan));
      yield;
    }
  } finally {
    keeper.close();
  }
  const journal: Journal = { ...head, state: "begun", files: countFiles(entries) };
  writeEntries(root, head.id, entries);
  writeJournal(root, journal);
  try {
    const change = changer(root, folder);
    for (const { path } of entries) {
      const plan = planned.get(path);
      if (plan !== undefined) change(path, plan);
      yield;
    }
    writeJournal(root, { ...journal, state: "done" });
  } catch (error) {
    yield* restoreSteps(root, journal, entries);
    throw error;
  }
  rmSync(join(folder, "new"), { recursive: true, force: true });
  rmSync(begunFile(root, head.id), { force: true });
}

/** What goes away goes first, so that its name is free for what comes. */
function ordered(planned: ReadonlyMap<string, Planned>): [string, Planned][] {
  const rank = { remove: 0, move: 1, staged: 2, bytes: 2 };
  const all = [...planned];
  return all.some(([, { kind }]) => rank[kind] < 2) ? all.sort(([, a], [, b]) => rank[a.kind] - rank[b.kind]) : all;
}

function keepOne(root: string, keeper: Keeper, path: string, plan: Planned): JournalEntry {
  if (plan.kind === "move") {
    keeper.keepFile(plan.from);
    return { kind: "move", path, sha256: null, from: plan.from };
  }
  const sha256 = plan.kind === "remove" ? null : plan.kind === "staged" ? plan.sha256 : hashOf(plan.bytes);
  const before = plan.kind === "bytes" ? plan.before : undefined;
  if (before === undefined && plan.kind !== "remove" && !existsSync(join(root, path))) return { kind: "create", path, sha256 };
  const kept = keeper.keep(path, before);
  return { kind: plan.kind === "remove" ? "remove" : "write", path, sha256, ...(kept === undefined ? {} : { kept }) };
}

function changer(root: string, folder: string): (path: string, plan: Planned) => void {
  const makeFolder = folderMaker();
  makeFolder(join(folder, "new"));
  const next = join(folder, "new", "next");
  return (path, plan) => {
    const file = join(root, path);
    if (plan.kind === "remove") return unlinkSync(file);
    makeFolder(dirname(file));
    try {
      if (plan.kind === "bytes") writeNew(next, plan.bytes);
      else if (plan.kind === "move" && existsSync(file))
        throw new FailureError("bad_request", `Expected no file at ${path}, but there is one; scan the data set again.`);
      renameSync(plan.kind === "bytes" ? next : plan.kind === "move" ? join(root, plan.from) : plan.file, file);
    } catch (error) {
      throw writeFailure(error, file);
    }
  };
}

/** Not flushed to the disk one by one: until the journal says "done", a crash brings the originals back. */
function writeNew(file: string, bytes: Buffer): void {
  const handle = openSync(file, "w");
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
  } finally {
    closeSync(handle);
  }
}

function countFiles(entries: readonly JournalEntry[]): Journal["files"] {
  const files = { captions: 0, pictures: 0, others: 0 };
  for (const { path } of entries) {
    if (isCaptionName(path)) files.captions++;
    else if (isPictureName(path) && !/(^|\/)masks\//.test(path) && extname(path) !== "") files.pictures++;
    else files.others++;
  }
  return files;
}
