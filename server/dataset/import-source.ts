import { FailureError } from "../../protocol/errors.js";

/** One file that an import may take over. `path` is below the source, with `/`. */
export type SourceFile = {
  path: string;
  bytes: number;
  /** When it was last changed, in milliseconds since 1970. */
  modifiedAt: number;
  /** The whole content; for small files such as captions. Throws `bad_request` for a file of more than 64 MB. */
  read(): Promise<Buffer>;
  /** Writes the content to a new file; the source is only read. */
  copyTo(target: string): Promise<void>;
};

/** A file that an import leaves behind, with the reason as a sentence. */
export type Skipped = { file: string; reason: string };

/** What a folder or zip offers. `name` is the source's own name without extension. */
export type ImportSource = {
  name: string;
  files: SourceFile[];
  skipped: Skipped[];
  close(): Promise<void>;
};

/** Bounds of an import, so that a hostile or mistaken archive can't fill the disk. */
export type ImportLimits = {
  files: number;
  totalBytes: number;
  fileBytes: number;
  /** How many times larger than in the zip a file above a megabyte may become. */
  expansion: number;
};

export const IMPORT_LIMITS: ImportLimits = { files: 100_000, totalBytes: 50e9, fileBytes: 1e9, expansion: 100 };

/** Beyond this size no caption and no list of captions is read into memory. */
const READABLE_BYTES = 64e6;

/** Refuses to hold a file in memory that is too large for it. */
export function checkReadable(path: string, bytes: number): void {
  if (bytes <= READABLE_BYTES) return;
  throw new FailureError(
    "bad_request",
    `Expected a text of at most ${READABLE_BYTES / 1e6} MB in ${path}, but it has ${Math.ceil(bytes / 1e6)}; remove it.`,
  );
}

/** True for files that systems leave lying about and nobody misses. */
export function isLitter(path: string): boolean {
  return path.split("/").some((part) => part.startsWith(".") || /^(__MACOSX|Thumbs\.db|desktop\.ini|ehthumbs\.db)$/i.test(part));
}
