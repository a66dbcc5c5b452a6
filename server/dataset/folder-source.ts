import { copyFile, readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import { checkReadable, type ImportLimits, type ImportSource, isLitter, type Skipped, type SourceFile } from "./import-source.js";
import { compare } from "./list-folder.js";

/** The files of a folder and of the folders in it. Links are not followed. Throws `bad_request` when there are too many. */
export async function openFolder(folder: string, limits: ImportLimits): Promise<ImportSource> {
  const files: SourceFile[] = [];
  const skipped: Skipped[] = [];
  const walk = async (below: string, depth: number): Promise<void> => {
    const entries = await readdir(join(folder, below), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => compare(a.name, b.name))) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (isLitter(path)) continue;
      if (entry.isDirectory() && depth < MAX_DEPTH) await walk(path, depth + 1);
      else if (entry.isFile()) files.push(await fileOf(folder, path));
      else
        skipped.push({
          file: path,
          reason: entry.isDirectory() ? "Folders are nested too deep here." : "Links and devices are not followed.",
        });
      if (files.length > limits.files)
        throw new FailureError(
          "bad_request",
          `Expected at most ${limits.files} files in ${folder}, but there are more; choose the folder that holds the pictures.`,
        );
    }
  };
  await walk("", 0);
  return { name: basename(folder), files, skipped, close: async () => {} };
}

const MAX_DEPTH = 16;

async function fileOf(folder: string, path: string): Promise<SourceFile> {
  const source = join(folder, path);
  const { size, mtimeMs } = await stat(source);
  return {
    path,
    bytes: size,
    modifiedAt: mtimeMs,
    async read() {
      checkReadable(path, size);
      return await readFile(source);
    },
    copyTo: (target) => copyFile(source, target),
  };
}
