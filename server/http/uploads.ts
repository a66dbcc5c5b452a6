import { createWriteStream, existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import express from "express";
import { FailureError } from "../../protocol/errors.js";
import { isPlainSegment } from "./safe-path.js";

const MAX_DEPTH = 4;

/** `PUT /api/uploads/<id>/<file>`: the raw body becomes that file of the upload. `%2F` in the name keeps the folders of a dropped folder. */
export function uploadRoutes(uploadsDir: string): express.Router {
  const router = express.Router();
  router.put("/api/uploads/:id/:file", async (request, response) => {
    const segments = request.params.file.split("/");
    if (segments.length > MAX_DEPTH || !segments.every(isPlainSegment))
      throw new FailureError(
        "bad_request",
        `Expected a file name below the upload, at most ${MAX_DEPTH} folders deep and without a leading dot, but got "${request.params.file}".`,
      );
    const target = join(uploadFolder(uploadsDir, request.params.id), ...segments);
    await mkdir(dirname(target), { recursive: true });
    const part = `${target}.part`;
    try {
      await pipeline(request, createWriteStream(part));
      await rename(part, target);
    } finally {
      await rm(part, { force: true });
    }
    response.status(201).json({});
  });
  return router;
}

/** The folder or the one zip that `upload:<id>` means as a source of an import; throws `bad_request` when nothing was sent. */
export async function uploadSource(uploadsDir: string, id: string): Promise<{ source: string; remove(): Promise<void> }> {
  const folder = uploadFolder(uploadsDir, id);
  if (!existsSync(folder)) throw new FailureError("bad_request", `Expected an upload with the id "${id}", but no file of it has arrived.`);
  const names = await readdir(folder);
  const [only] = names;
  const isZip = names.length === 1 && only !== undefined && only.toLowerCase().endsWith(".zip");
  return { source: isZip ? join(folder, only) : folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

function uploadFolder(uploadsDir: string, id: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(id)) return join(uploadsDir, id);
  throw new FailureError("bad_request", `Expected an upload's id of letters, digits, "-" and "_", but got "${id}".`);
}
