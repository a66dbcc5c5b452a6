/** What a variable of a script holds; null is what the script does not say, such as the output of a program. */
export type ScriptValue = string | number | boolean | null | readonly string[];

export function asText(value: ScriptValue): string {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "object" ? value.join(" ") : String(value);
}

export function asList(value: ScriptValue): readonly string[] {
  if (value === null || value === "") return [];
  return typeof value === "object" ? value : [asText(value)];
}

/** Both sides as numbers when both are, else as texts without regard to case. */
export function compareTexts(left: string, right: string): number {
  const [a, b] = [left.trim(), right.trim()];
  if (a !== "" && b !== "" && Number.isFinite(Number(a)) && Number.isFinite(Number(b))) return Number(a) - Number(b);
  return a.toLowerCase() === b.toLowerCase() ? 0 : a.toLowerCase() < b.toLowerCase() ? -1 : 1;
}
