import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { FailureError } from "../../protocol/errors.js";

/**
 * Writes a whole file or nothing: a temporary file beside it is flushed to the disk and renamed. Creates the folder.
 * Throws `disk_full` when there is no room, `bad_request` where writing is not allowed.
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
    throw writeFailure(error, file);
  }
}

/** What the system means by refusing to write `file`, as `disk_full` or `bad_request`; any other error stays as it is. */
export function writeFailure(error: unknown, file: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (["ENOSPC", "EDQUOT"].includes(code))
    return new FailureError(
      "disk_full",
      `Expected room on the disk for ${file}, but it is full; free some space and try again. Nothing was changed.`,
    );
  if (["EACCES", "EPERM", "EROFS"].includes(code))
    return new FailureError(
      "bad_request",
      `Expected to be allowed to write ${file}, but the system refuses (${code}); change the folder's rights or choose another one. Nothing was changed.`,
    );
  return error;
}
