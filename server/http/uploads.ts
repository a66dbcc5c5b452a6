import { createWriteStream, existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import express, { type Request } from "express";
import { z } from "zod";
import { FailureError } from "../../protocol/errors.js";
import { IMPORT_LIMITS } from "../dataset/import-source.js";
import { writeFailure } from "../dataset/write-atomically.js";
import { isPlainSegment } from "./safe-path.js";

const MAX_DEPTH = 8;
const PART = ".part";
const FORGOTTEN_MS = 3 * 24 * 3600 * 1000;

/**
 * `PUT /api/uploads/<id>/<file>`: the raw body becomes that file of the upload. With `?offset=N&size=M` it is the bytes from N on of a file
 * of M bytes; what has arrived stays when the connection breaks, and `GET` says how much that is: `{"bytes":N}`. `%2F` in the name keeps
 * the folders of a dropped folder. Failures: `bad_request` (name, a gap, too large), `disk_full`.
 */
export function uploadRoutes(uploadsDir: string): express.Router {
  const router = express.Router();
  void forgetOldUploads(uploadsDir);
  router.get("/api/uploads/:id/:file", async (request, response) => {
    const target = targetOf(uploadsDir, request.params);
    response.json({ bytes: (await sizeOf(target)) ?? (await sizeOf(target + PART)) ?? 0 });
  });
  router.put("/api/uploads/:id/:file", async (request, response) => {
    const target = targetOf(uploadsDir, request.params);
    await receive(request, target, pieceOf(request)).catch((error: unknown) => {
      throw writeFailure(error, target);
    });
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

type Piece = { offset: number; size: number };

const PieceQuery = z.object({ offset: z.coerce.number().int().nonnegative(), size: z.coerce.number().int().nonnegative() });

/** Null: the body is the whole file. */
function pieceOf(request: Request): Piece | null {
  if (request.query.offset === undefined && request.query.size === undefined) return null;
  const piece = PieceQuery.safeParse(request.query);
  if (!piece.success) throw new FailureError("bad_request", "Expected ?offset=N&size=M in bytes for a piece of a file.");
  if (piece.data.size > IMPORT_LIMITS.totalBytes)
    throw new FailureError(
      "bad_request",
      `Expected a file of at most ${IMPORT_LIMITS.totalBytes / 1e9} GB, but it has ${Math.ceil(piece.data.size / 1e9)}; send fewer pictures at once.`,
    );
  return piece.data;
}

async function receive(request: Request, target: string, piece: Piece | null): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const part = target + PART;
  if (piece === null) {
    try {
      await pipeline(request, createWriteStream(part));
      await rename(part, target);
    } finally {
      await rm(part, { force: true });
    }
    return;
  }
  const arrived = (await sizeOf(target)) ?? (await sizeOf(part)) ?? 0;
  // A piece whose answer was lost comes twice; the page asks where to go on.
  if (piece.offset !== arrived)
    throw new FailureError(
      "bad_request",
      `Expected the bytes from ${arrived} on, but got those from ${piece.offset} on; go on from there.`,
    );
  if (arrived < piece.size || piece.size === 0) await pipeline(request, createWriteStream(part, { flags: "a" }));
  const now = await sizeOf(part);
  if (now !== null && now > piece.size) {
    await rm(part, { force: true });
    throw new FailureError("bad_request", `Expected ${piece.size} bytes in all, but ${now} came; send the file again.`);
  }
  if (now === piece.size) await rename(part, target);
}

async function sizeOf(file: string): Promise<number | null> {
  return (await stat(file).catch(() => null))?.size ?? null;
}

function targetOf(uploadsDir: string, { id, file }: { id: string; file: string }): string {
  const segments = file.split("/");
  if (segments.length > MAX_DEPTH || !segments.every(isPlainSegment))
    throw new FailureError(
      "bad_request",
      `Expected a file name below the upload, at most ${MAX_DEPTH} folders deep and without a leading dot, but got "${file}".`,
    );
  return join(uploadFolder(uploadsDir, id), ...segments);
}

function uploadFolder(uploadsDir: string, id: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(id)) return join(uploadsDir, id);
  throw new FailureError("bad_request", `Expected an upload's id of letters, digits, "-" and "_", but got "${id}".`);
}

/** Uploads that nobody has imported or gone on with for days. */
async function forgetOldUploads(uploadsDir: string): Promise<void> {
  for (const id of await readdir(uploadsDir).catch(() => [])) {
    const facts = await stat(join(uploadsDir, id)).catch(() => null);
    if (facts !== null && Date.now() - facts.mtimeMs > FORGOTTEN_MS) await rm(join(uploadsDir, id), { recursive: true, force: true });
  }
}
