/** One file that an import may take over. `path` is below the source, with `/`. */
export type SourceFile = {
  path: string;
  bytes: number;
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

/** True for files that systems leave lying about and nobody misses. */
export function isLitter(path: string): boolean {
  return path.split("/").some((part) => part.startsWith(".") || /^(__MACOSX|Thumbs\.db|desktop\.ini|ehthumbs\.db)$/i.test(part));
}
