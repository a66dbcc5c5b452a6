import { readFile } from "node:fs/promises";
import { parse, TomlError } from "smol-toml";
import { FailureError } from "../../protocol/errors.js";
import { Settings } from "../../protocol/settings.js";
import { KOHYA_NAMES, kohyaValue } from "./kohya-names.js";
import { shown, valueAt, wrongSetting } from "./wrong-setting.js";

export type SettingsFile = { settings: Partial<Settings>; unknown: string[] };

/**
 * Settings from a TOML file in our names or kohya's, at the top or inside sections as kohya's files have them. Only what the file says
 * is in `settings`; `unknown` lists the names that mean nothing here.
 * Throws `bad_settings` for a missing or broken file and for wrong values, naming key, expectation and value.
 */
export async function readSettingsFile(path: string): Promise<SettingsFile> {
  const table = parseToml(await readText(path), path);
  const found: Found = { values: {}, names: new Map(), unknown: [] };
  collect(table, "", found);
  const parsed = Settings.partial().safeParse(found.values);
  if (!parsed.success) throw wrongSetting(parsed.error, written(found), (key) => found.names.get(key)?.name ?? key);
  // The schema fills in defaults; the caller wants to know only what the file chose.
  const chosen = Object.entries(parsed.data).filter(([key]) => Object.hasOwn(found.values, key));
  return { settings: Object.fromEntries(chosen), unknown: found.unknown };
}

/** Values by our names, and by our name how the file spelt it. */
type Found = { values: Record<string, unknown>; names: Map<string, { name: string; value: unknown }>; unknown: string[] };

function collect(table: Record<string, unknown>, section: string, found: Found): void {
  for (const [name, value] of Object.entries(table)) {
    const where = section === "" ? name : `${section}.${name}`;
    const key = Object.hasOwn(Settings.shape, name) ? name : KOHYA_NAMES.get(name);
    if (key !== undefined) take(key, name, value, found);
    else if (name === "optimizer_args" && Array.isArray(value)) collectOptimizerArgs(value, found);
    else if (isTable(value)) collect(value, where, found);
    else if (Array.isArray(value) && value.length > 0 && value.every(isTable)) for (const item of value) collect(item, where, found);
    else found.unknown.push(where);
  }
}

function take(key: string, name: string, value: unknown, found: Found): void {
  // kohya's learning_rate is what unet_lr overrides, in whichever order they stand.
  if (name === "learning_rate" && found.names.has("unetLr")) return;
  found.values[key] = kohyaValue(name, value);
  found.names.set(key, { name, value });
}

/** kohya gives options of the optimizer as texts such as "weight_decay=0.1". */
function collectOptimizerArgs(args: readonly unknown[], found: Found): void {
  for (const arg of args) {
    const [name, value] = String(arg).split("=", 2);
    if (name?.trim() === "weight_decay" && value !== undefined) take("weightDecay", "weight_decay", Number(value), found);
    else found.unknown.push(`optimizer_args: ${String(arg)}`);
  }
}

/** The values as the file has them, for sentences about them. */
function written({ values, names }: Found): Record<string, unknown> {
  const isWhole = (key: string) => typeof valueAt(values, [key]) !== "object" || valueAt(values, [key]) === null;
  return Object.fromEntries(Object.keys(values).map((key) => [key, isWhole(key) ? names.get(key)?.value : values[key]]));
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

async function readText(path: string): Promise<string> {
  return await readFile(path, "utf8").catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new FailureError("bad_settings", `Expected a settings file (TOML) at ${path}, but it can't be read (${code}); check the path.`);
  });
}

function parseToml(text: string, path: string): Record<string, unknown> {
  try {
    return parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    const where = error instanceof TomlError ? ` in line ${error.line}` : "";
    const what = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new FailureError("bad_settings", `Expected TOML in ${path}, but it is broken${where} (${shown(what)}); correct it.`);
  }
}
