import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inSlices } from "./in-slices.js";
import { begunFile, begunIds, editFolder, readEntries, readJournal } from "./journal.js";
import { restoreSteps } from "./restore.js";

/**
 * Takes back edits that were cut off by a crash, so that a data set is always whole; its history says so. An edit of a process that is still
 * alive is left alone. For callers who have their turn (`inTurn`).
 */
export async function recoverInTurn(root: string): Promise<void> {
  for (const id of begunIds(root).reverse()) {
    const journal = readJournal(root, id);
    if (isAlive(journal?.pid ?? Number(readText(begunFile(root, id))))) continue;
    if (journal?.state === "begun") await inSlices(restoreSteps(root, journal, readEntries(root, id)));
    // Before the journal nothing was changed; one that can't be understood is of another version, and its originals stay.
    else if (journal === null && !namesIn(editFolder(root, id)).includes("journal.json"))
      rmSync(editFolder(root, id), { recursive: true, force: true });
    rmSync(join(editFolder(root, id), "new"), { recursive: true, force: true });
    rmSync(begunFile(root, id), { force: true });
  }
}

/** Another process; what this one began and did not finish has failed. */
function isAlive(pid: number): boolean {
  if (!(pid > 0) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Gone meanwhile: its process has just finished the edit.
    return "";
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // It was cut off before it had a folder.
    return [];
  }
}
