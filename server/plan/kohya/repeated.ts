import { isDeepStrictEqual } from "node:util";
import type { SettingsImport } from "../../../protocol/settings-import.js";
import { KOHYA_NAMES, kohyaValue } from "../kohya-names.js";
import { shown } from "../wrong-setting.js";
import { OFF } from "./off.js";
import type { FileOption } from "./option.js";

/**
 * One value for each option. As in sd-scripts a subset's overrides its data set's, that `[general]`'s and that an argument's, and of
 * equal ones the last counts. Data sets or subsets that want different values can't have them here: the first one's is kept, and the
 * others are refused.
 */
export function settleRepeated(options: readonly FileOption[], report: SettingsImport): FileOption[] {
  const settled = new Map<string, FileOption>();
  for (const option of options) {
    const key = keyOf(option);
    const before = settled.get(key);
    if (before !== undefined && (before.value === null) !== (option.value === null)) {
      // One of them says nothing.
      const [empty, full] = before.value === null ? [before, option] : [option, before];
      settled.set(key, full);
      report.notNeeded.push({ option: empty.shownAs ?? empty.name, line: empty.line, reason: OFF });
      continue;
    }
    if (before === undefined || isDeepStrictEqual(kohyaValue(before.name, before.value), kohyaValue(option.name, option.value))) {
      if (before === undefined || before.depth < option.depth) settled.set(key, option);
      continue;
    }
    if (option.depth >= 2 && option.depth === before.depth && KOHYA_NAMES.has(option.name)) refuse(option, before, report);
    else if (option.depth >= before.depth) {
      settled.set(key, option);
      override(before, option, report);
    } else override(option, before, report);
  }
  return [...settled.values()];
}

/** Folders and repeats may differ by subset, and each is worth a line of its own. */
function keyOf({ name, depth, line }: FileOption): string {
  return depth === 3 && !KOHYA_NAMES.has(name) ? `${name} ${line}` : name === "batch_size" ? "train_batch_size" : name;
}

function override(loser: FileOption, winner: FileOption, report: SettingsImport): void {
  const where = winner.line === null ? "further on" : `in line ${winner.line}`;
  report.notNeeded.push({
    option: loser.shownAs ?? loser.name,
    line: loser.line,
    reason: `${winner.shownAs ?? winner.name} ${where} overrides it.`,
  });
}

function refuse(option: FileOption, before: FileOption, report: SettingsImport): void {
  const where = option.line === null ? "" : ` (line ${option.line})`;
  report.refused.push({
    option: option.shownAs ?? option.name,
    line: option.line,
    message: `Expected one ${option.name} for all data sets, because a run here has only one, but got ${shown(option.value)}${where} after ${shown(before.value)}; ${shown(before.value)} is kept.`,
  });
}
