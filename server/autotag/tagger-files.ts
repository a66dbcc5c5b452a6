import { readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { TaggerFamily } from "../../protocol/autotag-options.js";

/** A model and the file with its tag names, which together are a tagger. Absolute paths. */
export type TaggerFiles = { readonly name: string; readonly family: TaggerFamily; readonly model: string; readonly labels: string };

/** Folders that never hold a model and are large. */
const PASSED_BY = new Set([".git", "node_modules", "venv", ".venv", "__pycache__", "blobs", ".locks"]);
const MOST_FOLDERS = 5000;

/** The taggers in a folder and below it, at most `depth` folders deep. Links to files are followed, links to folders are not. */
export async function findTaggerFiles(folder: string, depth: number): Promise<TaggerFiles[]> {
  const found: TaggerFiles[] = [];
  let waiting = [folder];
  let looked = 0;
  for (let level = 0; level <= depth && waiting.length > 0; level += 1) {
    const deeper: string[] = [];
    for (const each of waiting) {
      looked += 1;
      if (looked > MOST_FOLDERS) return found;
      // A folder that may not be read holds nothing for us.
      const entries = await readdir(each, { withFileTypes: true }).catch(() => []);
      const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
      found.push(...taggersIn(each, files));
      deeper.push(...entries.filter((entry) => entry.isDirectory() && !PASSED_BY.has(entry.name)).map((entry) => join(each, entry.name)));
    }
    waiting = deeper;
  }
  return found;
}

/** The taggers in a file or folder that a person names: a model, or the folder that holds one. */
export async function taggerFilesAt(path: string): Promise<TaggerFiles[]> {
  const facts = await stat(path).catch(() => null);
  if (facts === null) return [];
  if (facts.isDirectory()) return await findTaggerFiles(path, 5);
  const all = taggersIn(dirname(path), await readdir(dirname(path)));
  return all.filter(({ model }) => model === path);
}

/** The tagger's name that a person knows it by: its folder's, and in a hub's cache the repository's. */
function nameOf(folder: string, model: string): string {
  const parts = folder.split(/[\\/]/);
  const snapshots = parts.lastIndexOf("snapshots");
  if (snapshots > 0 && parts.length > snapshots + 1) {
    const inside = parts.slice(snapshots + 2);
    const repository = (parts[snapshots - 1] ?? "").split("--").at(-1) ?? "";
    return inside.at(-1) ?? repository;
  }
  const stem = basename(model, ".onnx");
  return /^(model|model_optimized|deepdanbooru)$/i.test(stem) ? basename(folder) : stem;
}

function taggersIn(folder: string, files: readonly string[]): TaggerFiles[] {
  const models = files.filter((file) => extname(file).toLowerCase() === ".onnx" && !file.startsWith("."));
  if (models.length === 0) return [];
  const named = (model: string) => {
    const stem = basename(model, extname(model)).toLowerCase();
    return files.find((file) => [`${stem}.csv`, `${stem}_selected_tags.csv`].includes(file.toLowerCase()));
  };
  const pairs = models.flatMap((model) => {
    const labels = named(model);
    return labels === undefined ? [] : [taggerOf(folder, { family: "wd", model, labels })];
  });
  if (pairs.length > 0) return pairs;
  const names = namesFile(files);
  if (names === null) return [];
  return [taggerOf(folder, { ...names, model: preferred(models, names.family) })];
}

function namesFile(files: readonly string[]): { family: TaggerFamily; labels: string } | null {
  const lower = (file: string) => file.toLowerCase();
  const csv =
    files.find((file) => lower(file) === "selected_tags.csv") ??
    files.find((file) => /tag/.test(lower(file)) && lower(file).endsWith(".csv"));
  if (csv !== undefined) return { family: "wd", labels: csv };
  const mapping = files.find((file) => /tag_mapping\.json$/.test(lower(file)));
  if (mapping !== undefined) return { family: "cl", labels: mapping };
  const lines = files.find((file) => lower(file) === "tags.txt");
  return lines === undefined ? null : { family: "deepdanbooru", labels: lines };
}

function preferred(models: readonly string[], family: TaggerFamily): string {
  const order = family === "cl" ? ["model_optimized.onnx", "model.onnx"] : ["model.onnx", "model_optimized.onnx"];
  return order.find((name) => models.includes(name)) ?? models.toSorted()[0] ?? "";
}

function taggerOf(folder: string, { family, model, labels }: { family: TaggerFamily; model: string; labels: string }): TaggerFiles {
  return { name: nameOf(folder, model), family, model: join(folder, model), labels: join(folder, labels) };
}
