import { FailureError } from "../../../protocol/errors.js";
import { Settings } from "../../../protocol/settings.js";
import { shown } from "../wrong-setting.js";
import { easyScriptsOptions, isEasyScripts } from "./easy-scripts.js";
import { guiOptions, isGuiPreset } from "./gui-preset.js";
import type { FoundOptions } from "./option.js";
import { readTables } from "./read-tables.js";

/** The options of a JSON file: a preset of kohya_ss, settings of other launchers, or a dataset config. Throws `bad_settings` for broken JSON. */
export function readJson(text: string, name: string): FoundOptions {
  const value = parseJson(text, name);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new FailureError("bad_settings", `Expected an object of settings in ${name}, but got ${shown(value)}; choose another file.`);
  const table: Record<string, unknown> = { ...value };
  const options = readTables(table, (path) => lineOfKey(text, path));
  if (isGuiPreset(table)) return { format: "kohyaGui", options: guiOptions(options), unread: [] };
  if (isEasyScripts(table)) return { format: "sdScripts", options: easyScriptsOptions(options), unread: [] };
  const isOurs = options.length > 0 && options.every((option) => Object.hasOwn(Settings.shape, option.name));
  return { format: Array.isArray(table.datasets) ? "sdScriptsDataset" : isOurs ? "trainLora" : "sdScripts", options, unread: [] };
}

/** JSON has no positions once it is parsed; a key's last name is looked for as it is written. */
function lineOfKey(text: string, path: string): number | null {
  const name = path.slice(path.lastIndexOf(".") + 1).replace(/\[\d+\]$/, "");
  const at = text.search(new RegExp(`${JSON.stringify(name).replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\s*:`));
  return at < 0 ? null : text.slice(0, at).split("\n").length;
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const at = /position (\d+)/.exec(what)?.[1];
    const where = at === undefined ? "" : ` in line ${text.slice(0, Number(at)).split("\n").length}`;
    throw new FailureError("bad_settings", `Expected JSON in ${name}, but it is broken${where} (${shown(what)}); correct it.`);
  }
}
