import { createWriteStream } from "node:fs";
import { basename, extname } from "node:path";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import yauzl, { type Entry, type ZipFile } from "yauzl";
import { FailureError } from "../../protocol/errors.js";
import { checkReadable, type ImportLimits, type ImportSource, isLitter, type Skipped, type SourceFile } from "./import-source.js";
import { isCaptionName, isJsonName, isPictureName } from "./picture-names.js";

/**
 * The pictures and captions in a zip. Its list is judged before a byte is unpacked: paths that leave the folder and too
 * much content refuse the whole zip (`bad_request`); links, encrypted files and files that expand like a bomb are left behind.
 */
export async function openZip(file: string, limits: ImportLimits): Promise<ImportSource> {
  const zip = await yauzl.openPromise(file, { autoClose: false }).catch((error: unknown) => {
    throw refusal(file, `it is not a zip that can be read (${messageOf(error)})`);
  });
  const files: SourceFile[] = [];
  const skipped: Skipped[] = [];
  try {
    let totalBytes = 0;
    for await (const entry of zip.eachEntry()) {
      if (zip.entryCount > limits.files) throw refusal(file, `it lists ${zip.entryCount} files and at most ${limits.files} are taken`);
      if (entry.fileName.endsWith("/") || isLitter(entry.fileName)) continue;
      const reason = reasonToSkip(entry, limits);
      if (reason === null) files.push(fileOf(zip, entry));
      else skipped.push({ file: entry.fileName, reason });
      totalBytes += reason === null ? entry.uncompressedSize : 0;
      if (totalBytes > limits.totalBytes) throw refusal(file, `it unpacks to more than ${Math.floor(limits.totalBytes / 1e6)} MB`);
    }
  } catch (error) {
    zip.close();
    throw error instanceof FailureError ? error : refusal(file, messageOf(error));
  }
  return { name: basename(file, extname(file)), files, skipped, close: async () => zip.close() };
}

function fileOf(zip: ZipFile, entry: Entry): SourceFile {
  return {
    path: entry.fileName,
    bytes: entry.uncompressedSize,
    modifiedAt: entry.getLastModDate().getTime(),
    async read() {
      checkReadable(entry.fileName, entry.uncompressedSize);
      return await buffer(await zip.openReadStreamPromise(entry));
    },
    copyTo: async (target) => pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target, { flags: "wx" })),
  };
}

const LINK = 0o120000;
const TYPE_BITS = 0o170000;

function reasonToSkip(entry: Entry, { expansion, fileBytes }: ImportLimits): string | null {
  const isWanted = [isPictureName, isCaptionName, isJsonName].some((knows) => knows(entry.fileName));
  if (!isWanted) return "Not a picture or a caption.";
  if (((entry.externalFileAttributes >>> 16) & TYPE_BITS) === LINK) return "Links are not followed.";
  if (entry.isEncrypted()) return "It is encrypted; unpack the zip with its password first.";
  if (entry.uncompressedSize > fileBytes) return `It has more than ${Math.floor(fileBytes / 1e6)} MB.`;
  const isBomb = entry.uncompressedSize > 1e6 && entry.uncompressedSize > expansion * entry.compressedSize;
  return isBomb ? `It would become more than ${expansion} times larger when unpacked, as only an attack does.` : null;
}

function refusal(file: string, why: string): FailureError {
  return new FailureError(
    "bad_request",
    `Expected a zip of pictures and captions at ${file}, but ${why}; nothing was imported. Pack the folder again.`,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
