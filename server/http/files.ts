import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import express, { type Request, type Response } from "express";
import { FailureError } from "../../protocol/errors.js";
import { thumbnail } from "../dataset/thumbnail.js";
import { inspectLora } from "../library/inspect.js";
import { cardFileOf, type LoraCard, readCard } from "../library/lora-card.js";
import type { State } from "../state.js";
import { runDirOf } from "../trainer/run.js";
import { accessOf } from "./access.js";
import { foldersOf, hideFolders } from "./hide-folders.js";
import { fileBelow } from "./safe-path.js";
import type { Session } from "./session.js";

const PICTURES = new Set([".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"]);
const MIN_SIZE = 16;
const MAX_SIZE = 2048;

/** A report is one file that needs no other and no script. */
const REPORT_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'";

/** Pictures of data sets and grids, reports, and the recipes of LoRA files. */
export function fileRoutes(state: State, session: Session): express.Router {
  const router = express.Router();
  const hidden = (request: Request) => (accessOf(request, session).hideFolders ? foldersOf(state) : []);
  router.get("/api/datasets/:name/images/*image", async (request, response) => {
    const file = fileBelow(state.datasets.root(request.params.name), request.params.image);
    await sendPicture(response, file, {
      size: request.query.size,
      cacheDir: state.paths.cacheDir,
      types: PICTURES,
      isLasting: request.query.v !== undefined,
    });
  });
  for (const folder of ["grid", "webui", "samples"])
    router.get(`/api/jobs/:id/${folder}/*file`, async (request: Request<{ id: string; file: string[] }>, response) => {
      const file = fileBelow(join(jobFolder(state, request.params.id), folder), request.params.file);
      if (extname(file) === ".json") return sendText(response, file, { type: "application/json", hidden: hidden(request) });
      await sendPicture(response, file, { size: request.query.size, cacheDir: state.paths.cacheDir, types: new Set([".png"]) });
    });
  router.get("/api/jobs/:id/report", async (request, response) => {
    const file = fileBelow(jobFolder(state, request.params.id), ["report.html"]);
    response.set("Content-Security-Policy", REPORT_POLICY);
    await sendText(response, file, { type: "text/html", hidden: hidden(request) });
  });
  router.get("/api/loras/*file/inspect", async (request, response) => {
    const file = fileBelow(state.loraDir, request.params.file);
    const facts = { ...(await inspectLora(file)), card: await shownCard(file) };
    response.json(hideFolders(facts, hidden(request)));
  });
  return router;
}

// A card that can't be read is the WebUI's matter; the LoRA's own facts are shown all the same.
async function shownCard(file: string): Promise<LoraCard | null> {
  const card = await readCard(cardFileOf(file)).catch(() => ({}));
  return Object.keys(card).length === 0 ? null : card;
}

function jobFolder(state: State, id: string): string {
  if (state.store.job(id) === undefined) throw new FailureError("not_found", `There is no job with the id "${id}".`);
  return runDirOf(state.paths, id);
}

async function sendPicture(
  response: Response,
  file: string,
  { size, cacheDir, types, isLasting = false }: { size: unknown; cacheDir: string; types: ReadonlySet<string>; isLasting?: boolean },
): Promise<void> {
  if (!types.has(extname(file).toLowerCase())) throw new FailureError("not_found", `${basename(file)} is no picture.`);
  if (size === undefined) return sendWhole(response, file);
  const side = Number(size);
  if (!Number.isInteger(side) || side < MIN_SIZE || side > MAX_SIZE)
    throw new FailureError("bad_request", `Expected a size of ${MIN_SIZE} to ${MAX_SIZE} pixels, but got "${String(size)}".`);
  sendWhole(response, await thumbnail(file, side, cacheDir), isLasting ? LASTING : undefined);
}

async function sendText(response: Response, file: string, { type, hidden }: { type: string; hidden: readonly string[] }): Promise<void> {
  if (hidden.length === 0) return sendWhole(response, file);
  response
    .set("Cache-Control", "private, no-cache")
    .type(type)
    .send(hideFolders(await readFile(file, "utf8"), hidden));
}

/** For an address that names the version of the picture, so that scrolling back asks for nothing. */
const LASTING = "private, max-age=31536000, immutable";

// A picture may be edited under the same name, so the browser asks each time and mostly hears "not modified".
function sendWhole(response: Response, file: string, cacheControl = "private, no-cache"): void {
  response.set("Cache-Control", cacheControl);
  // Without a root, a home inside a dot folder would be refused as a dot file.
  response.sendFile(basename(file), { root: dirname(file), dotfiles: "allow", cacheControl: false });
}
