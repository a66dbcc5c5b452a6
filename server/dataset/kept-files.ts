import { createHash } from "node:crypto";
import { closeSync, copyFileSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { editFolder, type JournalEntry } from "./journal.js";
import { writeFailure } from "./write-atomically.js";

/** Small texts lie one after the other in one file; everything else has a second name for its bytes. */
export type Kept = { kind: "text"; bytes: Buffer } | { kind: "file"; file: string };

const TEXTS = new Set([".txt", ".caption", ".json"]);
const MAX_TEXT_BYTES = 65_536;
const FLUSH_BYTES = 4_194_304;

/** True for the name of a file whose content may be kept among the texts. */
export function isTextName(path: string): boolean {
  return TEXTS.has(extname(path).toLowerCase());
}

/** Keeps what an edit replaces. `close` brings it to the disk. */
export type Keeper = {
  /** Place in `texts`, or undefined for a file of its own. `known` is the file's content when the caller has just read it. */
  keep(path: string, known?: Buffer): JournalEntry["kept"];
  /** A second name for the same bytes, whatever they are. */
  keepFile(path: string): void;
  close(): void;
};

export function openKeeper(root: string, id: string): Keeper {
  const folder = editFolder(root, id);
  const makeFolder = folderMaker();
  let handle: number | null = null;
  let at = 0;
  let waiting: Buffer[] = [];
  let waitingBytes = 0;

  function flush(): void {
    if (waiting.length === 0) return;
    handle ??= openSync(join(folder, "texts"), "w");
    const bytes = Buffer.concat(waiting);
    for (let done = 0; done < bytes.length; ) done += writeSync(handle, bytes, done);
    waiting = [];
    waitingBytes = 0;
  }

  function keepFile(path: string): void {
    const original = join(folder, "files", path);
    makeFolder(dirname(original));
    copyOrLink(join(root, path), original);
  }

  return {
    keep(path, known) {
      const bytes = known ?? smallText(root, path);
      if (bytes === null) {
        keepFile(path);
        return undefined;
      }
      const place: [number, number] = [at, bytes.length];
      at += bytes.length;
      waitingBytes += bytes.length;
      waiting.push(bytes);
      if (waitingBytes > FLUSH_BYTES) flush();
      return place;
    },
    keepFile,
    close() {
      flush();
      if (handle === null) return;
      fsyncSync(handle);
      closeSync(handle);
    },
  };
}

/** Finds what edits replaced; the texts of an edit are read once. */
export function openKept(root: string): (id: string, entry: JournalEntry) => Kept | null {
  const texts = new Map<string, Buffer>();
  return (id, { kind, path, from, kept }) => {
    if (kind === "create") return null;
    if (kept === undefined) return { kind: "file", file: join(editFolder(root, id), "files", from ?? path) };
    const all = texts.get(id) ?? readFileSync(join(editFolder(root, id), "texts"));
    texts.set(id, all);
    return { kind: "text", bytes: all.subarray(kept[0], kept[0] + kept[1]) };
  };
}

export function bytesOf(kept: Kept): Buffer {
  return kept.kind === "text" ? kept.bytes : readFileSync(kept.file);
}

/** A second name for the same bytes costs no room and no time; file systems without such names get a copy. */
export function copyOrLink(file: string, target: string): void {
  try {
    linkSync(file, target);
  } catch {
    try {
      copyFileSync(file, target);
    } catch (error) {
      throw writeFailure(error, target);
    }
  }
}

export function hashOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Makes folders, each once. */
export function folderMaker(): (folder: string) => void {
  const made = new Set<string>();
  return (folder) => {
    if (made.has(folder)) return;
    mkdirSync(folder, { recursive: true });
    made.add(folder);
  };
}

function smallText(root: string, path: string): Buffer | null {
  if (!isTextName(path)) return null;
  const file = join(root, path);
  return statSync(file).size > MAX_TEXT_BYTES ? null : readFileSync(file);
}
