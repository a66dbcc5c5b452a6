import { asList, asText, type ScriptValue } from "./script-values.js";

export type Variables = Map<string, ScriptValue>;

const PIECE =
  /\\([\s\S])|'([^']*)'|"((?:\\[\s\S]|\$\([^)]*\)|\$(?!\()|[^"\\$])*)"|\$\(\((?<sum>[^)]*)\)\)|\$\((?<program>[^)]*)\)|`(?<old>[^`]*)`|\$\{(?<braced>[^}]*)\}|\$(?<name>\w+)|([^\\'"$`]+|\$)/g;

/** The words that one written word becomes: variables are replaced, and outside of quotes parted at blanks, as bash does. */
export function expandWord(raw: string, variables: Variables): string[] {
  let [words, open, isQuoted] = [[] as string[], "", false];
  const add = (text: string) => (open += text);
  const split = (fields: readonly string[]) => {
    const [first = "", ...rest] = fields;
    add(first);
    for (const field of rest) {
      words = [...words, open];
      open = field;
    }
  };
  for (const match of raw.matchAll(PIECE)) {
    const [, escaped, single, double] = match;
    const groups = match.groups ?? {};
    isQuoted ||= single !== undefined || double !== undefined;
    if (escaped !== undefined) add(escaped);
    else if (single !== undefined) add(single);
    else if (double !== undefined) {
      const list = /^\$\{(\w+)\[@\]\}$/.exec(double);
      if (list) split(asList(variables.get(list[1] ?? "") ?? null));
      else add(expandQuoted(double, variables));
    } else if (groups.braced !== undefined || groups.name !== undefined || groups.sum !== undefined) {
      const text =
        groups.sum !== undefined ? String(arithmetic(groups.sum, variables)) : valueIn(groups.braced ?? groups.name ?? "", variables);
      split(text.split(/\s+/));
    } else if (groups.program === undefined && groups.old === undefined) add(match[0]);
  }
  const all = [...words, open];
  return isQuoted ? all : all.filter((word) => word !== "");
}

/** The one text that a word stands for where nothing is parted, as in an assignment. */
export function expandText(raw: string, variables: Variables): string {
  return replaceAll(raw, PIECE, ([whole, escaped, single, double], groups) => {
    if (escaped !== undefined) return escaped;
    if (single !== undefined) return single;
    if (double !== undefined) return expandQuoted(double, variables);
    if (groups.sum !== undefined) return String(arithmetic(groups.sum, variables));
    if (groups.program !== undefined || groups.old !== undefined) return "";
    const name = groups.braced ?? groups.name;
    return name === undefined ? (whole ?? "") : valueIn(name, variables);
  });
}

const QUOTED = /\\([$"\\`\n])|\$\(\((?<sum>[^)]*)\)\)|\$\((?<program>[^)]*)\)|`(?<old>[^`]*)`|\$\{(?<braced>[^}]*)\}|\$(?<name>\w+)/g;

function expandQuoted(text: string, variables: Variables): string {
  return replaceAll(text, QUOTED, ([, escaped], { sum, program, old, braced, name }) => {
    if (escaped !== undefined) return escaped === "\n" ? "" : escaped;
    if (sum !== undefined) return String(arithmetic(sum, variables));
    return program !== undefined || old !== undefined ? "" : valueIn(braced ?? name ?? "", variables);
  });
}

type Groups = Readonly<Record<string, string | undefined>>;

function replaceAll(text: string, pattern: RegExp, replace: (match: (string | undefined)[], groups: Groups) => string): string {
  let [result, end] = ["", 0];
  for (const match of text.matchAll(pattern)) {
    result += text.slice(end, match.index) + replace([...match], match.groups ?? {});
    end = match.index + match[0].length;
  }
  return result + text.slice(end);
}

/** What stands in `${ }`: NAME, NAME[@], NAME:-other, NAME:=other, NAME:+other, NAME%end, #NAME. */
function valueIn(inside: string, variables: Variables): string {
  const [, count = "", name = "", list, sign = "", other = ""] =
    /^(#?)(\w+)(\[[@*]\]|\[\d+\])?(:?[-=+?]|%%?|##?)?([\s\S]*)$/.exec(inside) ?? [];
  const value = variables.get(name) ?? null;
  const items = asList(value);
  if (count === "#") return String(list === undefined ? asText(value).length : items.length);
  const index = /^\[(\d+)\]$/.exec(list ?? "")?.[1];
  const plain = typeof value === "object" && value !== null && list === undefined ? (items[0] ?? "") : asText(value);
  const text = index === undefined ? plain : (items[Number(index)] ?? "");
  const isMissing = sign.startsWith(":") ? text === "" : !variables.has(name);
  switch (sign.replace(":", "")) {
    case "-":
      return isMissing ? expandQuoted(other.replace(/^(["'])(.*)\1$/s, "$2"), variables) : text;
    case "=":
      if (isMissing) variables.set(name, expandQuoted(other, variables));
      return isMissing ? expandQuoted(other, variables) : text;
    case "+":
      return isMissing ? "" : expandQuoted(other, variables);
    case "%":
    case "%%":
      return text.endsWith(other) ? text.slice(0, text.length - other.length) : text;
    default:
      return text;
  }
}

/** Whole numbers with + - * / and variables, from left to right with the usual precedence; NaN for more than that. */
export function arithmetic(expression: string, variables: Variables): number {
  const plain = expression.replace(/\$?\{?\b([A-Za-z_]\w*)\b\}?/g, (_, name: string) => asText(variables.get(name) ?? 0) || "0");
  const tokens = plain.match(/\d+(?:\.\d+)?|[-+*/]/g) ?? [];
  if (tokens.join("") !== plain.replace(/\s/g, "")) return Number.NaN;
  const terms: number[] = [];
  let sign = "+";
  for (const token of tokens) {
    if (/^[-+*/]$/.test(token)) sign = token;
    else if (sign === "*") terms.push((terms.pop() ?? 0) * Number(token));
    else if (sign === "/") terms.push(Math.trunc((terms.pop() ?? 0) / Number(token)));
    else terms.push(sign === "-" ? -Number(token) : Number(token));
  }
  return terms.reduce((total, term) => total + term, 0);
}
