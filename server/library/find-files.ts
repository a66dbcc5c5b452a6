import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";

/**
 * Paths of all files below `folder` with one of `extensions` (lower case, with dot), sorted; links are followed as the
 * WebUI does, hidden folders and files left out. An absent folder has no files.
 */
export async function findFiles(folder: string, extensions: readonly string[], depth = 0): Promise<string[]> {
  // A folder that is absent or may not be read has nothing to list.
  const names = depth > MAX_DEPTH ? [] : await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => !name.startsWith("."))
      .map(async (name) => {
        const path = join(folder, name);
        const facts = await stat(path).catch(() => null);
        if (facts?.isDirectory()) return findFiles(path, extensions, depth + 1);
        return facts?.isFile() && extensions.includes(extname(name).toLowerCase()) ? [path] : [];
      }),
  );
  return found.flat().sort();
}

/** Ends the walk of a folder that links to itself. */
const MAX_DEPTH = 8;
