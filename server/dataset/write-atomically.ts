import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { FailureError } from "../../protocol/errors.js";

/**
 * Writes a whole file or nothing: a temporary file beside it is flushed to the disk and renamed. Creates the folder.
 * Throws `disk_full` when there is no room.
 */
export async function writeAtomically(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${file}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(temporary, "wx");
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw asDiskFull(error, file);
  }
}

/** The same error, or `disk_full` when that is what the system means. */
export function asDiskFull(error: unknown, file: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new FailureError(
    "disk_full",
    `Expected room on the disk for ${file}, but it is full; free some space and try again. Nothing was changed.`,
  );
}
