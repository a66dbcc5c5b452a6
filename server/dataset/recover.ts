import { statSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { EDIT_ID, editFolder, ORIGINALS, readJournal } from "./journal.js";
import { compare } from "./list-folder.js";
import { restoreOriginals } from "./restore.js";

/**
 * Rolls back edits that were cut off by a crash and finishes undos that were, so that a data set is always whole. An edit
 * of a process that is still alive is left alone. For callers who have their turn (`inTurn`).
 */
export async function recoverInTurn(root: string): Promise<void> {
  const ids = (await readdir(join(root, ORIGINALS)).catch(() => [])).filter((id) => EDIT_ID.test(id));
  for (const id of ids.sort(compare).reverse()) {
    const file = join(editFolder(root, id), "journal.json");
    const { mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: 0 };
    if (mtimeMs > 0 && settled.get(file) === mtimeMs) continue;
    const journal = await readJournal(root, id);
    const isCut = journal !== null && journal.state !== "done";
    if (isCut && (journal.pid === process.pid || !isAlive(journal.pid))) await restoreOriginals(root, journal);
    if (journal === null && (await isForgotten(root, id))) await rm(editFolder(root, id), { recursive: true, force: true });
    if (journal?.state === "done") settled.set(file, mtimeMs);
  }
}

/** Journals that were found done, by the time they were written at: after thousands of edits, reading all of them would cost more than an edit. */
const settled = new Map<string, number>();

/** True for an edit that never began and whose process is gone; one with a journal that can't be understood holds originals and stays. */
async function isForgotten(root: string, id: string): Promise<boolean> {
  const folder = editFolder(root, id);
  const names: string[] = await readdir(folder).catch(() => []);
  return !names.includes("journal.json") && !isAlive(Number(await readFile(join(folder, "pid"), "utf8").catch(() => "0")));
}

function isAlive(pid: number): boolean {
  if (pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
