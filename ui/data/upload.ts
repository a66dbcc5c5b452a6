import { z } from "zod";
import { FailureError } from "../../protocol/errors.js";
import { httpPaths } from "../../protocol/messages.js";
import { refusalOf } from "./refusal.js";
import type { Session } from "./session.js";

/** A file on its way to the server; `path` keeps the folders it was dropped with. */
export type UploadFile = { path: string; file: File };

/** Everything in a drop, folders walked through. */
export async function droppedFiles(items: DataTransferItemList): Promise<UploadFile[]> {
  // Entries must be taken before the first await: afterwards the list is empty.
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const lists = await Promise.all(entries.map((entry) => walk(entry, "")));
  return lists.flat();
}

export function chosenFiles(files: FileList): UploadFile[] {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** A name for the data set out of what was dropped: the folder's, or the zip's. */
export function nameOf(files: readonly UploadFile[]): string {
  const first = files[0]?.path ?? "";
  const folder = first.includes("/") ? first.split("/")[0] : undefined;
  const zip = files.length === 1 && /\.zip$/i.test(first) ? first.replace(/\.zip$/i, "") : undefined;
  return folder ?? zip ?? "";
}

/** How far an upload is, in files and bytes. */
export type UploadProgress = { files: number; bytes: number; totalBytes: number };

/**
 * Sends the files in pieces, a few files at once; resolves with the `source` that importDataset takes. A connection that breaks, as while
 * a WebUI restarts, is waited for, and the upload goes on where it stopped.
 */
export async function uploadFiles(
  session: Pick<Session, "fetch">,
  files: readonly UploadFile[],
  onProgress: (progress: UploadProgress) => void,
  waitSeconds: readonly number[] = [1, 2, 4, 8, 15, 30, 60],
): Promise<string> {
  const id = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const progress = { files: 0, bytes: 0, totalBytes: files.reduce((sum, { file }) => sum + file.size, 0) };
  const waiting = files.flatMap(({ path, file }) => {
    const plain = plainPath(path);
    return plain === null ? [] : [{ path: plain, file }];
  });
  const sendSome = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await sendFile(session, httpPaths.upload(id, next.path), next.file, { waitSeconds, onBytes: (bytes) => onProgress(count(bytes)) });
      progress.files++;
      onProgress({ ...progress });
    }
  };
  const count = (bytes: number) => {
    progress.bytes += bytes;
    return { ...progress };
  };
  onProgress({ ...progress });
  await Promise.all(Array.from({ length: AT_ONCE }, sendSome));
  return `upload:${id}`;
}

/**
 * A file's path as the server takes it; null for hidden files, which nobody means to send. Long names are cut, those of a picture and its
 * caption alike.
 */
export function plainPath(path: string): string | null {
  const segments = path.normalize("NFC").split("/");
  if (segments.some((segment) => segment.startsWith("."))) return null;
  return segments.map(plainSegment).join("/");
}

const LONGEST = 120;

function plainSegment(segment: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be in a file's name
  const plain = segment.replace(/[\\:\u0000-\u001f]/g, "_").replace(/[. ]+$/, "_");
  const dot = plain.lastIndexOf(".");
  const [stem, extension] = dot > 0 ? [plain.slice(0, dot), plain.slice(dot)] : [plain, ""];
  if (new TextEncoder().encode(plain).length <= LONGEST + 60) return plain;
  let hash = 5381;
  for (const letter of stem) hash = (Math.imul(hash, 33) ^ (letter.codePointAt(0) ?? 0)) >>> 0;
  return `${[...stem].slice(0, LONGEST / 4).join("")}-${hash.toString(36)}${extension.slice(0, 16)}`;
}

const AT_ONCE = 3;
const PIECE = 8 * 1024 * 1024;
/** What proxies take when nobody has told them otherwise: nginx one megabyte. */
const SMALLEST_PIECE = 512 * 1024;

async function sendFile(
  session: Pick<Session, "fetch">,
  url: string,
  file: File,
  { waitSeconds, onBytes }: { waitSeconds: readonly number[]; onBytes: (bytes: number) => void },
): Promise<void> {
  let piece = PIECE;
  let offset = 0;
  let failures = 0;
  do {
    try {
      const body = file.slice(offset, offset + piece);
      const answer = await session.fetch(`${url}?offset=${offset}&size=${file.size}`, { method: "PUT", body });
      if (answer.status === 413 && piece > SMALLEST_PIECE) piece = Math.max(SMALLEST_PIECE, piece / 4);
      else if (answer.status >= 502 && answer.status <= 504) throw new TypeError(`${answer.status} ${answer.statusText}`);
      else if (!answer.ok) throw await refusalOf(answer);
      else {
        offset += body.size;
        failures = 0;
        onBytes(body.size);
      }
    } catch (error) {
      const seconds = waitSeconds[failures++];
      // Only a connection that broke is worth another try; what the server refuses it refuses again.
      if (error instanceof FailureError || seconds === undefined) throw error;
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      const arrived = (await arrivedBytes(session, url)) ?? offset;
      onBytes(arrived - offset);
      offset = arrived;
    }
  } while (offset < file.size);
}

/** Null while nobody answers. */
async function arrivedBytes(session: Pick<Session, "fetch">, url: string): Promise<number | null> {
  try {
    const answer = await session.fetch(url, { method: "GET" });
    return answer.ok ? Arrived.parse(await answer.json()).bytes : null;
  } catch {
    return null; // the next try will tell
  }
}

const Arrived = z.object({ bytes: z.int().nonnegative() });

async function walk(entry: FileSystemEntry, folder: string): Promise<UploadFile[]> {
  const path = folder ? `${folder}/${entry.name}` : entry.name;
  if (entry.isFile) return [{ path, file: await fileOf(entry) }];
  const children = await childrenOf(entry);
  return (await Promise.all(children.map((child) => walk(child, path)))).flat();
}

function fileOf(entry: FileSystemEntry): Promise<File> {
  return new Promise((resolve, reject) => {
    if ("file" in entry && typeof entry.file === "function") entry.file(resolve, reject);
    else reject(new FailureError("bad_request", `${entry.name} is neither a file nor a folder.`));
  });
}

async function childrenOf(entry: FileSystemEntry): Promise<FileSystemEntry[]> {
  if (!("createReader" in entry) || typeof entry.createReader !== "function") return [];
  const reader: FileSystemDirectoryReader = entry.createReader();
  const found: FileSystemEntry[] = [];
  // A reader hands out at most a hundred entries at a time and ends with none.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    found.push(...some);
  }
}
