import { readFile } from "node:fs/promises";
import { FailureError } from "../../protocol/errors.js";
import { Settings } from "../../protocol/settings.js";
import type { SettingsImport } from "../../protocol/settings-import.js";
import { importSettings } from "./kohya/import-settings.js";
import { wrongSetting } from "./wrong-setting.js";

export type SettingsFile = { settings: Partial<Settings>; unknown: string[] };

/**
 * Settings from a file of any kind that `importSettings` reads. Only what the file says is in `settings`; `unknown` lists the options that
 * nothing here obeys.
 * Throws `bad_settings` for a missing or broken file and for wrong values, naming option, line, expectation and value.
 */
export async function readSettingsFile(path: string): Promise<SettingsFile> {
  const report = await importSettingsFile(path);
  const refused = report.refused[0];
  if (refused !== undefined) throw new FailureError("bad_settings", refused.message);
  return { settings: settingsOf(report), unknown: report.unknown.map(({ option }) => option) };
}

/** What became of every option of a settings file. Throws `bad_settings` for one that is missing or can't be understood at all. */
export async function importSettingsFile(path: string): Promise<SettingsImport> {
  const bytes = await readFile(path).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new FailureError("bad_settings", `Expected a settings file at ${path}, but it can't be read (${code}); check the path.`);
  });
  return importSettings(bytes, path);
}

/** The settings of a report, typed; the schema's defaults are not among them. */
export function settingsOf({ settings }: SettingsImport): Partial<Settings> {
  const parsed = Settings.partial().safeParse(settings);
  if (!parsed.success) throw wrongSetting(parsed.error, settings);
  return Object.fromEntries(Object.entries(parsed.data).filter(([key]) => Object.hasOwn(settings, key)));
}
