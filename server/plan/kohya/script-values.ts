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

export type Relation = "eq" | "ne" | "gt" | "ge" | "lt" | "le";

/** Compares as numbers when both sides are, else as texts without regard to case. */
export function isRelated(left: string, relation: Relation, right: string): boolean {
  return RELATIONS[relation](order(left.trim(), right.trim()));
}

const RELATIONS: Readonly<Record<Relation, (order: number) => boolean>> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  gt: (order) => order > 0,
  ge: (order) => order >= 0,
  lt: (order) => order < 0,
  le: (order) => order <= 0,
};

function order(a: string, b: string): number {
  if (a !== "" && b !== "" && Number.isFinite(Number(a)) && Number.isFinite(Number(b))) return Number(a) - Number(b);
  return a.toLowerCase() === b.toLowerCase() ? 0 : a.toLowerCase() < b.toLowerCase() ? -1 : 1;
}
