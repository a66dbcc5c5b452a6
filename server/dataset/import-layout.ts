import { basename, dirname, extname } from "node:path";
import { safeName, stemsOfFolder } from "./file-name.js";
import type { ImportSource, Skipped, SourceFile } from "./import-source.js";
import { compare } from "./list-folder.js";
import { MASKS } from "./list-masks.js";
import { baseName, captionNames, isCaptionName, isJsonName, isPictureName, parseSubsetName } from "./picture-names.js";
import { isRegularisation } from "./regularisation.js";

/**
 * A picture with its caption and the JSON file that says more of it, and where they go: `folder/stem.<extension of what it turns out to
 * be>`, `folder/stem.txt` and `folder/stem.json`.
 */
export type PlacedPicture = { source: SourceFile; caption: SourceFile | null; sidecar: SourceFile | null; folder: string; stem: string };
/** `lists`: JSON files that belong to no single picture. */
export type Layout = { pictures: PlacedPicture[]; lists: SourceFile[]; skipped: Skipped[] };

/**
 * Sorts a source's files into kohya's layout by their names alone. `10_name` folders stay, other folders become `1_<folder>`, loose
 * pictures `1_<dataset>`; folders inside a `10_name` folder are emptied into it. Two pictures of one base name get two.
 */
export function layOut(source: ImportSource, datasetName: string): Layout {
  const files = [...source.files].sort((a, b) => compare(a.path, b.path));
  const byPath = new Map(files.map((file) => [file.path.toLowerCase(), file]));
  const firstOf = (names: readonly string[]) =>
    names.map((name) => byPath.get(name.toLowerCase())).find((found) => found !== undefined) ?? null;
  const trunk = trunkOf(files.filter(({ path }) => isPictureName(path)));
  const used = new Set<SourceFile>();
  const stems = new Map<string, (stem: string) => string>();
  const pictures: PlacedPicture[] = [];
  const placed = new Map<string, PlacedPicture>();
  const masks: SourceFile[] = [];
  const plain = new Set(files.filter(({ path }) => isPictureName(path)).map(({ path }) => baseName(path).toLowerCase()));
  for (const file of files.filter(({ path }) => isPictureName(path))) {
    if (plain.has(pictureOfMask(file.path))) {
      masks.push(file);
      continue;
    }
    const caption = firstOf(captionNames(file.path));
    const sidecar = firstOf([`${file.path}.json`, `${baseName(file.path)}.json`]);
    if (caption !== null) used.add(caption);
    if (sidecar !== null) used.add(sidecar);
    const folder = folderFor(dirname(file.path).replace(/^\.$/, ""), trunk, source.name, datasetName);
    const give = stems.get(folder) ?? stemsOfFolder();
    stems.set(folder, give);
    const name = safeName(basename(file.path));
    const picture = { source: file, caption, sidecar, folder, stem: give(safeName(baseName(name))) };
    pictures.push(picture);
    placed.set(baseName(file.path).toLowerCase(), picture);
  }
  for (const file of masks) {
    const picture = placed.get(pictureOfMask(file.path));
    if (picture) pictures.push({ source: file, caption: null, sidecar: null, folder: `${picture.folder}/${MASKS}`, stem: picture.stem });
  }
  const lists = files.filter((file) => isJsonName(file.path) && !used.has(file));
  for (const list of lists) used.add(list);
  return { pictures, lists, skipped: [...source.skipped, ...leftBehind(files, used)] };
}

/** The name without extension, in lower case, of the picture that a file is the mask of by its place; "" for files elsewhere. */
function pictureOfMask(path: string): string {
  const folder = dirname(path);
  return basename(folder) === MASKS ? baseName(`${dirname(folder)}/${basename(path)}`.replace(/^\.\//, "")).toLowerCase() : "";
}

/** The folder that holds everything, such as the one that packers put round a zip's content; "" when there is none. */
function trunkOf(pictures: readonly SourceFile[]): string {
  const paths = pictures.map(({ path }) => path.split("/").slice(0, -1));
  const trunk: string[] = [];
  for (;;) {
    const next = paths[0]?.[trunk.length];
    const isShared = next !== undefined && parseSubsetName(next) === null && paths.every((path) => path[trunk.length] === next);
    if (!isShared) return trunk.join("/");
    trunk.push(next);
  }
}

function folderFor(folder: string, trunk: string, sourceName: string, datasetName: string): string {
  const parts = folder
    .slice(trunk.length)
    .split("/")
    .filter((part) => part !== "");
  const subset = parts.find((part) => parseSubsetName(part) !== null);
  // Pictures below `reg` stay what they are: of the class, without the subject.
  const below = isRegularisation(parts.join("/")) ? `${parts[0]}/` : "";
  if (subset !== undefined) return below + safeName(subset);
  if (parts.length > 0) return safeName(`1_${parts.join(" ")}`);
  const own = trunk.split("/").at(-1) || sourceName;
  return safeName(parseSubsetName(own) === null ? `1_${datasetName}` : own);
}

function leftBehind(files: readonly SourceFile[], used: ReadonlySet<SourceFile>): Skipped[] {
  return files
    .filter((file) => !isPictureName(file.path) && !used.has(file))
    .map(({ path }) => ({
      file: path,
      reason: isCaptionName(path) ? captionReason(path) : `Not a picture or a caption (${extname(path) || "no extension"}).`,
    }));
}

function captionReason(path: string): string {
  return `No picture of the name "${baseName(basename(path))}" uses this caption.`;
}
