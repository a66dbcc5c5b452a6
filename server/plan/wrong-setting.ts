import type { z } from "zod";
import { FailureError } from "../../protocol/errors.js";

/**
 * The first thing that a schema found wrong in settings, as `bad_settings`. `nameOf` turns our key into the one that
 * the user wrote, such as kohya's.
 */
export function wrongSetting(error: z.ZodError, chosen: unknown, nameOf: (key: string) => string = (key) => key): FailureError {
  const issue = error.issues[0];
  if (issue === undefined)
    return new FailureError("bad_settings", "Expected settings, but they could not be understood; start from the defaults.");
  const path = issue.path.map(String);
  const key = path.length === 0 ? "the settings" : [nameOf(path[0] ?? ""), ...path.slice(1)].join(".");
  return new FailureError(
    "bad_settings",
    `Expected ${key} to be ${expectation(issue)}, but got ${shown(valueAt(chosen, issue.path))}; correct it or leave it out.`,
  );
}

/** What a schema wanted, in words. */
export function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] ?? issue.expected;
    case "invalid_value":
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `${issue.inclusive ? "at least" : "more than"} ${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `${issue.inclusive ? "at most" : "less than"} ${issue.maximum}${unitOf(issue.origin)}`;
    case "invalid_union":
      return issue.errors.map((option) => (option[0] === undefined ? "something else" : expectation(option[0]))).join(" or ");
    case "invalid_format":
      return issue.format === "regex" ? issue.message : `a valid ${issue.format}`;
    default:
      return issue.message;
  }
}

/** A value as a user may recognise it, shortened. */
export function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** The value that a path of the schema's issue leads to. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) at = typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined;
  return at;
}

const TYPES: Record<string, string> = {
  int: "a whole number",
  number: "a number",
  string: "a text",
  boolean: "true or false",
  object: "a group of settings",
  array: "a list",
  null: "left out",
};

function unitOf(origin: string): string {
  if (origin === "array" || origin === "set") return " entries";
  return origin === "string" ? " letters" : "";
}
