import { randomBytes } from "node:crypto";
import { copyFile, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ImportReport } from "../../protocol/dataset.js";
import { FailureError } from "../../protocol/errors.js";
import { checkDatasetName } from "./file-name.js";
import { openFolder } from "./folder-source.js";
import { layOut } from "./import-layout.js";
import { IMPORT_LIMITS, type ImportLimits, type ImportSource } from "./import-source.js";
import { readBeside } from "./read-beside.js";
import { takePicture } from "./take-picture.js";
import { DATASET_FILE } from "./trigger-word.js";
import { writeFailure } from "./write-atomically.js";
import { openZip } from "./zip-source.js";

export type ImportRequest = {
  /** A folder or a zip, which is only read. */
  source: string;
  name: string;
  datasetsDir: string;
  limits?: ImportLimits;
};

/**
 * Copies the pictures and captions of a folder or zip into `<datasetsDir>/<name>` in kohya's layout. GIF, TIFF and AVIF become PNG; what
 * can't be used stays behind and is reported. The data set appears whole or not at all.
 * Throws `bad_request` (name, zip), `dataset_exists`, `dataset_not_found` (no source), `dataset_empty` (nothing usable), `disk_full`.
 */
export async function importDataset({ source, name, datasetsDir, limits = IMPORT_LIMITS }: ImportRequest): Promise<ImportReport> {
  const datasetName = checkDatasetName(name);
  await mkdir(datasetsDir, { recursive: true }).catch((error: unknown) => {
    throw writeFailure(error, datasetsDir);
  });
  await refuseExisting(datasetsDir, datasetName);
  const opened = await openSource(resolve(source), limits);
  const temporary = join(datasetsDir, `${TEMPORARY}${process.pid}-${randomBytes(4).toString("hex")}`);
  try {
    const report = await takeAll(opened, datasetName, temporary);
    if (report.images === 0) throw nothingUsable(source, report);
    await keepTriggerWord(resolve(source), temporary);
    await refuseExisting(datasetsDir, datasetName);
    const root = join(datasetsDir, datasetName);
    await rename(temporary, root);
    return { ...report, root };
  } catch (error) {
    throw writeFailure(error, temporary);
  } finally {
    await opened.close();
    await rm(temporary, { recursive: true, force: true });
    await clearRemains(datasetsDir);
  }
}

const TEMPORARY = ".importing-";

async function openSource(source: string, limits: ImportLimits): Promise<ImportSource> {
  const facts = await stat(source).catch(() => null);
  if (facts === null)
    throw new FailureError(
      "dataset_not_found",
      `Expected a folder or a zip with pictures at ${source}, but there is nothing; check the path.`,
    );
  if (facts.isDirectory()) return await openFolder(source, limits);
  const handle = await open(source, "r");
  const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0).finally(() => handle.close());
  if (buffer.toString("latin1") === "PK") return await openZip(source, limits);
  throw new FailureError(
    "bad_request",
    `Expected a folder or a zip with pictures, but ${source} is another kind of file; unpack it, and give the folder.`,
  );
}

/** Case does not count: on many systems `Miku` and `miku` are one folder. */
async function refuseExisting(datasetsDir: string, name: string): Promise<void> {
  const existing = (await readdir(datasetsDir)).find((other) => other.normalize("NFC").toLowerCase() === name.toLowerCase());
  if (existing !== undefined) {
    throw new FailureError(
      "dataset_exists",
      `Expected a new name for the data set, but "${existing}" already exists in ${datasetsDir}; choose another name.`,
    );
  }
}

async function takeAll(source: ImportSource, name: string, root: string): Promise<ImportReport> {
  const layout = layOut(source, name);
  const { besideOf, notes, skipped } = await readBeside(layout);
  const report: ImportReport = { name, root, images: 0, captions: 0, skipped: [...layout.skipped, ...skipped], notes };
  // One after the other: copying is bound by the disk, and a zip is read through one handle.
  for (const picture of layout.pictures) {
    const taken = await takePicture(picture, await besideOf(picture), root);
    report.images += taken.reason === null ? 1 : 0;
    report.captions += taken.hasCaption ? 1 : 0;
    if (taken.reason !== null) report.skipped.push({ file: picture.source.path, reason: taken.reason });
  }
  return report;
}

function nothingUsable(source: string, { skipped }: ImportReport): FailureError {
  const left = skipped.slice(0, 5).map(({ file, reason }) => `${file}: ${reason}`);
  const examples = left.length > 0 ? ` It was left: ${left.join(" ")}` : "";
  return new FailureError(
    "dataset_empty",
    `Expected pictures (PNG, JPEG or WebP) in ${source}, but found none that can be used; choose another folder or zip.${examples}`,
  );
}

async function keepTriggerWord(source: string, root: string): Promise<void> {
  // Only a folder that was a data set of ours has this file.
  await copyFile(join(source, DATASET_FILE), join(root, DATASET_FILE)).catch(() => {});
}

/** What imports of dead processes left. */
async function clearRemains(datasetsDir: string): Promise<void> {
  for (const entry of await readdir(datasetsDir)) {
    const pid = Number(new RegExp(`^\\${TEMPORARY}(\\d+)-`).exec(entry)?.[1]);
    if (Number.isNaN(pid) || pid === process.pid) continue;
    try {
      process.kill(pid, 0);
    } catch {
      // No such process: its import will not go on.
      await rm(join(datasetsDir, entry), { recursive: true, force: true });
    }
  }
}
