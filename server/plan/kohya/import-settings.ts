import type { SettingsImport } from "../../../protocol/settings-import.js";
import { argumentOptions } from "./argument-options.js";
import { decodeText } from "./decode-text.js";
import type { FoundOptions } from "./option.js";
import { readBash } from "./read-bash.js";
import { readBatch } from "./read-batch.js";
import { readJson } from "./read-json.js";
import { readPowershell } from "./read-powershell.js";
import { readToml } from "./read-toml.js";
import { sortOptions } from "./sort-options.js";
import { splitWords } from "./split-words.js";

/**
 * Settings from a file of ours, of sd-scripts (config or dataset config), of kohya_ss, or from the script or the command line that starts
 * sd-scripts. `name` is the file's name, "" for pasted text; it helps to tell the format, but the content decides where it is clear.
 * Throws `bad_settings` for a file that can't be understood at all; a wrong value is in `refused` instead.
 */
export function importSettings(content: Uint8Array | string, name: string): SettingsImport {
  const text = typeof content === "string" ? content.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n") : decodeText(content, name);
  return sortOptions(read(text, name === "" ? "the text" : name));
}

function read(text: string, name: string): FoundOptions {
  switch (formatOf(text, name)) {
    case "json":
      return readJson(text, name);
    case "powershell":
      return readPowershell(text, name);
    case "bash":
      return readBash(text, name);
    case "batch":
      return readBatch(text, name);
    case "arguments": {
      const words = text.split("\n").flatMap((line, index) => splitWords(line).map((word) => ({ text: word, line: index + 1 })));
      return { format: "arguments", options: argumentOptions(words.filter((word) => !/^[\\^`]$/.test(word.text))), unread: [] };
    }
    case "toml":
      return readToml(text, name);
  }
}

type Format = "json" | "powershell" | "bash" | "batch" | "toml" | "arguments";

const ENDINGS: readonly (readonly [RegExp, Format])[] = [
  [/\.json$/i, "json"],
  [/\.ps1$/i, "powershell"],
  [/\.(sh|bash|command)$/i, "bash"],
  [/\.(bat|cmd)$/i, "batch"],
  [/\.toml$/i, "toml"],
];

function formatOf(text: string, name: string): Format {
  const byName = ENDINGS.find(([ending]) => ending.test(name));
  if (byName !== undefined) return byName[1];
  if (/^\s*\{/.test(text)) return "json";
  if (/^#!.*\b(ba|z|da)?sh\b/.test(text)) return "bash";
  if (/^\s*(@?echo off|@?setlocal|set\s+"?\w+=)/im.test(text)) return "batch";
  if (/^\s*\$(env:)?\w+\s*=|\$\w+\.Add\(|`\s*$/im.test(text)) return "powershell";
  const hasArguments = /(^|\s)--[a-z]\w+/.test(text);
  if (hasArguments && !/^\s*[\w.]+\s*=\s*\S/m.test(text)) return "arguments";
  if (hasArguments && /(^|\s)(python|accelerate)\S*\s|\$\{?\w+|\\\s*$/m.test(text)) return "bash";
  return "toml";
}
