import { parse, TomlError } from "smol-toml";
import { FailureError } from "../../../protocol/errors.js";
import { Settings } from "../../../protocol/settings.js";
import { shown } from "../wrong-setting.js";
import type { FoundOptions } from "./option.js";
import { readTables } from "./read-tables.js";
import { tomlLines } from "./toml-lines.js";

/** The options of a TOML file in our names or kohya's. Throws `bad_settings` for broken TOML, with the line. */
export function readToml(text: string, name: string): FoundOptions {
  const table = parseToml(text, name);
  const lines = tomlLines(text);
  const options = readTables(table, (path) => lines.get(path) ?? null);
  const isDataset = Array.isArray(table.datasets);
  const isOurs = options.length > 0 && options.every((option) => Object.hasOwn(Settings.shape, option.name));
  return { format: isDataset ? "sdScriptsDataset" : isOurs ? "trainLora" : "sdScripts", options, unread: [] };
}

function parseToml(text: string, name: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    const where = error instanceof TomlError ? ` in line ${error.line}` : "";
    const what = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new FailureError("bad_settings", `Expected TOML in ${name}, but it is broken${where} (${shown(what)}); correct it.`);
  }
}
