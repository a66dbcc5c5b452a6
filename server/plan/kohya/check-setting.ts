import { Settings } from "../../../protocol/settings.js";
import { wrongSetting } from "../wrong-setting.js";

export type Checked = { ok: true; value: unknown } | { ok: false; message: string };

const CHOSEN = Settings.partial();

const BY_SNAKE: ReadonlyMap<string, string> = new Map(
  Object.keys(Settings.shape).map((key) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), key]),
);

/** Our setting of this name, in our spelling or in snake_case. */
export function ownName(name: string): string | undefined {
  return Object.hasOwn(Settings.shape, name) ? name : BY_SNAKE.get(name);
}

/**
 * A value as the setting `key` takes it: numbers and switches may be texts, and names may differ in case, as sd-scripts allows.
 * A refusal is a sentence with the spelling and the line of the file.
 */
export function checkSetting(key: string, value: unknown, place: { spelt: string; written: unknown; line: number | null }): Checked {
  let first: string | null = null;
  for (const attempt of [value, ...otherForms(value)]) {
    const parsed = CHOSEN.safeParse({ [key]: attempt });
    if (parsed.success) return { ok: true, value: Reflect.get(parsed.data, key) };
    const named = nameByCase(parsed.error.issues[0], attempt);
    if (named !== undefined) return { ok: true, value: named };
    const spelt = place.line === null ? place.spelt : `${place.spelt} (line ${place.line})`;
    const isInside = (parsed.error.issues[0]?.path.length ?? 0) > 1;
    first ??= wrongSetting(parsed.error, { [key]: isInside ? value : place.written }, () => spelt).failure.message;
  }
  return { ok: false, message: first ?? "" };
}

function otherForms(value: unknown): unknown[] {
  if (typeof value !== "string") return [];
  const text = value.trim();
  if (/^(true|false)$/i.test(text)) return [text.toLowerCase() === "true"];
  return text !== "" && Number.isFinite(Number(text)) ? [Number(text)] : [];
}

function nameByCase(issue: { code: string; values?: readonly unknown[] } | undefined, value: unknown): unknown {
  if (issue?.code !== "invalid_value" || typeof value !== "string") return undefined;
  return issue.values?.find((name) => String(name).toLowerCase() === value.trim().toLowerCase());
}
