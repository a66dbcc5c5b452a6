import { checkoutRoot } from "../checkout.js";
import type { State } from "../state.js";

/**
 * Takes every folder of this machine that a page could learn out of what it is sent: a path becomes what lies below such a folder,
 * and the folder itself becomes empty. `folders` are absolute.
 */
export function hideFolders<Value>(value: Value, folders: readonly string[]): Value;
export function hideFolders(value: unknown, folders: readonly string[]): unknown {
  if (typeof value === "string") return withoutFolders(value, folders);
  if (Array.isArray(value)) return value.map((item) => hideFolders(item, folders));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hideFolders(item, folders)]));
}

/** The folders that this server knows, longest first, so that a folder inside another one goes with it. */
export function foldersOf({ paths, loraDir, webui }: State): string[] {
  const facts = webui.state()?.facts;
  const webuis = facts === undefined ? [] : [facts.dataDir, facts.loraDir, ...facts.checkpointDirs];
  const folders = [paths.home, loraDir, checkoutRoot(), ...webuis].filter((folder) => folder.length > 1);
  return [...new Set(folders)].sort((a, b) => b.length - a.length);
}

function withoutFolders(text: string, folders: readonly string[]): string {
  return folders.reduce((rest, folder) => (rest.includes(folder) ? rest.replace(patternOf(folder), "") : rest), text);
}

// A folder whose name only begins alike is another one.
function patternOf(folder: string): RegExp {
  return new RegExp(`${folder.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?:[\\\\/]+|(?![\\w.-]))`, "g");
}
