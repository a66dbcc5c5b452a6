import type { SettingsImport } from "../../../protocol/settings-import.js";
import { KOHYA_NAMES, kohyaValue } from "../kohya-names.js";
import { shown } from "../wrong-setting.js";
import { withAssumed } from "./assumed.js";
import { checkSetting, ownName } from "./check-setting.js";
import { KOHYA_OPTIONS } from "./kohya-options.js";
import { NOT_NEEDED } from "./not-needed.js";
import { offReason } from "./off.js";
import { type FileOption, type FoundOptions, LIST_OPTIONS } from "./option.js";
import { settleRepeated } from "./repeated.js";
import { translate } from "./translate.js";

/** Puts every option that was found into one of the four lists, and what was taken together to settings. */
export function sortOptions({ format, options, unread }: FoundOptions): SettingsImport {
  const report: SettingsImport = { format, settings: {}, taken: [], notNeeded: [], unknown: [], refused: [] };
  for (const { line, text } of unread) report.unknown.push({ option: text, line, value: "", isKohyas: false });
  const settled = settleRepeated(options.flatMap(partsOf), report);
  for (const option of translate(settled, report)) sortOne(option, report);
  return withAssumed(report, settled);
}

/** The texts of a list option as options of their own. */
function partsOf(option: FileOption): FileOption[] {
  const { name, value } = option;
  if (!LIST_OPTIONS.has(name) || value === null) return [option];
  const texts = (Array.isArray(value) ? value : [value]).map(String).filter((text) => text.trim() !== "" && text !== "true");
  if (texts.length === 0) return [{ ...option, value: null }];
  const parts = texts.map((text) => {
    const [key = "", ...rest] = text.split("=");
    const inner = rest.join("=").trim();
    return { ...option, name: `${name}.${key.trim()}`, shownAs: `${option.shownAs ?? name}: ${text}`, value: unquoted(inner) };
  });
  if (!KOHYA_NAMES.has(name)) return parts;
  // The list as a whole is a setting as well: it holds what has no setting of its own.
  const named = parts.filter((part) => KOHYA_NAMES.has(part.name));
  const others = texts.filter((_, index) => !KOHYA_NAMES.has(parts[index]?.name ?? ""));
  return others.length === 0 ? named : [...named, { ...option, value: others }];
}

function sortOne(option: FileOption, report: SettingsImport): void {
  const { name, value, line } = option;
  const spelt = option.shownAs ?? name;
  const key = KOHYA_NAMES.get(name) ?? ownName(name);
  const off = offReason(name, value);
  if (key !== undefined && value !== null) {
    const checked = checkSetting(key, kohyaValue(name, value), { spelt, written: value, line });
    if (checked.ok) {
      makeWay(key, spelt, report);
      report.settings[key] = checked.value;
      report.taken.push({ option: spelt, line, setting: key, value: checked.value, assumed: false });
    } else if (off !== null && !/^0(\.0*)?$/.test(String(value))) report.notNeeded.push({ option: spelt, line, reason: off });
    else report.refused.push({ option: spelt, line, message: checked.message });
    return;
  }
  const reason = NOT_NEEDED.get(name) ?? off;
  if (reason !== null) report.notNeeded.push({ option: spelt, line, reason });
  else report.unknown.push({ option: spelt, line, value: shown(value), isKohyas: KOHYA_OPTIONS.has(name.split(".")[0] ?? name) });
}

/** Two spellings of one setting: the later one counts. */
function makeWay(key: string, winner: string, report: SettingsImport): void {
  const before = report.taken.find(({ setting }) => setting === key);
  if (before === undefined) return;
  report.taken.splice(report.taken.indexOf(before), 1);
  report.notNeeded.push({ option: before.option, line: before.line, reason: `${winner} says it as well, further on.` });
}

function unquoted(text: string): string {
  return /^(["']).*\1$/s.test(text) ? text.slice(1, -1) : text;
}
