import { asList, asText, isRelated, type Relation, type ScriptValue } from "./script-values.js";

export type Variables = Map<string, ScriptValue>;

/** The value of a PowerShell expression of texts, numbers, variables, lists and comparisons; undefined when it is more than that. */
export function evaluatePowershell(text: string, variables: Variables): ScriptValue | undefined {
  const tokens = tokenize(text, variables);
  if (tokens === null) return undefined;
  const parser: Parser = { tokens, at: 0 };
  try {
    const value = logical(parser);
    return parser.at === tokens.length ? value : undefined;
  } catch (error) {
    if (error instanceof NotUnderstood) return undefined;
    throw error;
  }
}

/** A text in double quotes, or a bare word, with its variables replaced. */
export function expandPowershell(text: string, variables: Variables): string {
  return text.replace(
    /`(.)|""|\$\(\s*\$(?:env:)?(\w+)\s*\)|\$\{(?:env:)?(\w+)\}|\$(?:env:|global:|script:)?(\w+)/gis,
    (whole, escaped: string | undefined, ...names: (string | undefined)[]) => {
      if (whole === '""') return '"';
      if (escaped !== undefined) return { n: "\n", t: "\t", "0": "" }[escaped] ?? escaped;
      const name = names.slice(0, 3).find((found) => found !== undefined) ?? "";
      return asText(variables.get(name.toLowerCase()) ?? constantOf(name));
    },
  );
}

/** PowerShell's truth: an empty text, 0, $null and an empty list are false. */
export function isTrue(value: ScriptValue): boolean {
  return typeof value === "object" ? value !== null && value.length > 0 : Boolean(value);
}

class NotUnderstood extends Error {}

type Token = { value: ScriptValue } | { sign: string };
type Parser = { tokens: readonly Token[]; at: number };

const PIECE =
  /\s+|#[^\n]*|(?<double>"(?:`.|""|[^"`])*")|(?<single>'(?:''|[^'])*')|(?<empty>\[[\w.[\]]+\]::new\([^)]*\))|(?<cast>\[[\w.]+(?:\[\])?\])|\$\{(?:env:)?(?<braced>\w+)\}|\$(?:env:|global:|script:)?(?<name>\w+)|(?<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+)|(?<word>-(?:eq|ne|ieq|ine|ceq|cne|gt|ge|lt|le|and|or|not|like|notlike)\b)|(?<sign>@\(|[-+*/(),!])/giy;

function tokenize(text: string, variables: Variables): Token[] | null {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    PIECE.lastIndex = at;
    const match = PIECE.exec(text);
    if (match === null) return null;
    at = PIECE.lastIndex;
    const token = tokenOf(match.groups ?? {}, variables);
    if (token !== null) tokens.push(token);
  }
  return tokens;
}

function tokenOf(groups: Record<string, string | undefined>, variables: Variables): Token | null {
  const { double, single, empty, braced, name, number, word, sign } = groups;
  if (double !== undefined) return { value: expandPowershell(double.slice(1, -1), variables) };
  if (single !== undefined) return { value: single.slice(1, -1).replaceAll("''", "'") };
  if (empty !== undefined) return { value: [] };
  const variable = braced ?? name;
  if (variable !== undefined) return { value: variables.get(variable.toLowerCase()) ?? constantOf(variable) };
  if (number !== undefined) return { value: Number(number) };
  const written = word ?? sign;
  return written === undefined ? null : { sign: written.toLowerCase() };
}

function constantOf(name: string): ScriptValue {
  return { true: true, false: false }[name.toLowerCase()] ?? null;
}

function signAt({ tokens, at }: Parser): string | null {
  const token = tokens[at];
  return token !== undefined && "sign" in token ? token.sign : null;
}

function logical(parser: Parser): ScriptValue {
  let value = comparison(parser);
  for (let sign = signAt(parser); sign === "-and" || sign === "-or"; sign = signAt(parser)) {
    parser.at += 1;
    const right = comparison(parser);
    value = sign === "-and" ? isTrue(value) && isTrue(right) : isTrue(value) || isTrue(right);
  }
  return value;
}

function comparison(parser: Parser): ScriptValue {
  const left = list(parser);
  const sign = signAt(parser);
  if (sign === null || !/^-\w/.test(sign) || sign === "-and" || sign === "-or") return left;
  parser.at += 1;
  const right = list(parser);
  const relation = RELATIONS.get(sign.replace(/^-[ic](?=eq|ne)/, "-"));
  if (relation === undefined) throw new NotUnderstood();
  return isRelated(asText(left), relation, asText(right));
}

const RELATIONS: ReadonlyMap<string, Relation> = new Map([
  ["-eq", "eq"],
  ["-ne", "ne"],
  ["-gt", "gt"],
  ["-ge", "ge"],
  ["-lt", "lt"],
  ["-le", "le"],
]);

function list(parser: Parser): ScriptValue {
  const first = sum(parser);
  if (signAt(parser) !== ",") return first;
  const items = [...asList(first)];
  while (signAt(parser) === ",") {
    parser.at += 1;
    items.push(...asList(sum(parser)));
  }
  return items;
}

function sum(parser: Parser): ScriptValue {
  let value = product(parser);
  for (let sign = signAt(parser); sign === "+" || sign === "-"; sign = signAt(parser)) {
    parser.at += 1;
    const right = product(parser);
    if (sign === "-") value = Number(asText(value)) - Number(asText(right));
    else if (typeof value === "number") value = value + Number(asText(right));
    else value = typeof value === "object" && value !== null ? [...value, ...asList(right)] : asText(value) + asText(right);
  }
  return value;
}

function product(parser: Parser): ScriptValue {
  let value = primary(parser);
  for (let sign = signAt(parser); sign === "*" || sign === "/"; sign = signAt(parser)) {
    parser.at += 1;
    const [left, right] = [Number(asText(value)), Number(asText(primary(parser)))];
    value = sign === "*" ? left * right : left / right;
  }
  return value;
}

function primary(parser: Parser): ScriptValue {
  const token = parser.tokens[parser.at];
  parser.at += 1;
  if (token === undefined) throw new NotUnderstood();
  if ("value" in token) return token.value;
  if (token.sign === "-") return -Number(asText(primary(parser)));
  if (token.sign === "!" || token.sign === "-not") return !isTrue(primary(parser));
  if (token.sign !== "(" && token.sign !== "@(") throw new NotUnderstood();
  const items: string[] = [];
  let inner: ScriptValue = null;
  // A list in @( ) may have its items in lines of their own, without commas.
  while (signAt(parser) !== ")") {
    inner = logical(parser);
    items.push(...asList(inner));
  }
  parser.at += 1;
  return token.sign === "@(" ? items : inner;
}
