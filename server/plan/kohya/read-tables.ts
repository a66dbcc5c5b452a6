import { Settings } from "../../../protocol/settings.js";
import { type FileOption, LIST_OPTIONS } from "./option.js";

/** The section in which an export keeps settings that sd-scripts has no option for. */
export const OUR_SECTION = "train_lora";

/**
 * The options in the nested tables of a TOML or JSON file: sd-scripts' flat or sectioned config, its dataset config, and the nested
 * `…_args.args` of other tools. `lineOf` knows where a path stands.
 */
export function readTables(table: Table, lineOf: (path: string) => number | null): FileOption[] {
  const options: FileOption[] = [];
  walk(table, { path: "", depth: 0, line: null }, { options, lineOf });
  return options;
}

type Table = Readonly<Record<string, unknown>>;
type Place = { path: string; depth: FileOption["depth"]; line: number | null };
type Found = { options: FileOption[]; lineOf: (path: string) => number | null };

function walk(table: Table, place: Place, found: Found): void {
  for (const [name, value] of Object.entries(table)) {
    const path = place.path === "" ? name : `${place.path}.${name}`;
    const line = found.lineOf(path) ?? place.line;
    // A list of tables is kohya's `subsets` and not ours.
    if (Object.hasOwn(Settings.shape, name) && !isListOfTables(value)) found.options.push({ name, value, line, depth: place.depth });
    else if (isTable(value) && LIST_OPTIONS.has(name) && place.path !== "") {
      // A table of values instead of a list of texts.
      const pairs = Object.entries(value).map(([key, inner]) => `${key}=${String(inner)}`);
      found.options.push({ name, value: pairs, line, depth: place.depth });
    } else if (isTable(value)) walk(value, { path, depth: depthOf(name, place.depth), line }, found);
    else if (isListOfTables(value))
      for (const [index, item] of value.entries())
        walk(item, { path: `${path}[${index}]`, depth: depthOf(name, place.depth), line }, found);
    else found.options.push({ name, shownAs: shownAs(path), value, line, depth: place.depth });
  }
}

function depthOf(section: string, outer: FileOption["depth"]): FileOption["depth"] {
  switch (section) {
    case "general":
    case "dataset_args":
      return 1;
    case "datasets":
      return 2;
    case "subsets":
      return 3;
    default:
      return outer;
  }
}

/** Sections that only sort a flat file are not part of an option's name; those of data sets are. */
function shownAs(path: string): string | undefined {
  return /^(datasets|subsets|general)\b/.test(path) && path.includes(".") ? path.replace(/\[\d+\]/g, "") : undefined;
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function isListOfTables(value: unknown): value is Table[] {
  return Array.isArray(value) && value.length > 0 && value.every(isTable);
}
