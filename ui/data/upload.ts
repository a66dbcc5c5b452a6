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

/** Sends the files one after the other; resolves with the `source` that importDataset takes. */
export async function uploadFiles(session: Session, files: readonly UploadFile[], onProgress: (done: number) => void): Promise<string> {
  const id = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  for (const [index, { path, file }] of files.entries()) {
    onProgress(index);
    const answer = await session.fetch(httpPaths.upload(id, path), { method: "PUT", body: file });
    if (!answer.ok) throw await refusalOf(answer);
  }
  onProgress(files.length);
  return `upload:${id}`;
}

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
