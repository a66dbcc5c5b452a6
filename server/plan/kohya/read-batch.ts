import type { Word } from "./argument-options.js";
import { type Command, launchOptions } from "./launch-options.js";
import type { FoundOptions } from "./option.js";
import { isRelated, type Relation } from "./script-values.js";
import { splitWords } from "./split-words.js";

/** The options with which a batch file starts sd-scripts. Throws `bad_settings` when it starts no training. */
export function readBatch(text: string, name: string): FoundOptions {
  const script: Script = { variables: new Map(), commands: [], unread: [], blocks: [] };
  for (const { parts, line } of joinedLines(text)) runLine(script, parts, line);
  return launchOptions("batch", { commands: script.commands, unread: script.unread, name });
}

type Script = {
  readonly variables: Map<string, string>;
  readonly commands: Command[];
  readonly unread: { line: number; text: string }[];
  /** The blocks in brackets that are open, and whether what stands in them counts. */
  readonly blocks: boolean[];
};

/** Lines that end in ^ go on in the next; each part keeps its own number. */
function joinedLines(text: string): { parts: Word[]; line: number }[] {
  const joined: { parts: Word[]; line: number }[] = [];
  let open: { parts: Word[]; line: number } | null = null;
  for (const [index, raw] of text.split("\n").entries()) {
    const isContinued = /(^|[^^])\^\s*$/.test(raw);
    const part = { text: isContinued ? raw.replace(/\^\s*$/, "") : raw, line: index + 1 };
    open ??= { parts: [], line: index + 1 };
    open.parts.push(part);
    if (isContinued) continue;
    joined.push(open);
    open = null;
  }
  return open === null ? joined : [...joined, open];
}

function runLine(script: Script, parts: readonly Word[], line: number): void {
  const text = parts
    .map((part) => part.text)
    .join(" ")
    .trim()
    .replace(/^@+/, "");
  if (text === "" || /^(rem\b|::|:\w|echo\b|pause\b|setlocal|endlocal|cd\b|pushd|popd|title\b|color\b|exit\b|goto\b|cls\b)/i.test(text))
    return;
  const isLive = script.blocks.every(Boolean);
  if (/^\)/.test(text)) closeBlock(script, text, line);
  else if (/^if\b/i.test(text)) runIf(script, text, line);
  else if (/^for\b/i.test(text)) {
    if (isLive) script.unread.push({ line, text: "for …, which is not followed" });
    if (/\($/.test(text)) script.blocks.push(false);
  } else if (isLive) runCommand(script, parts.length > 1 ? parts : [{ text, line }]);
}

/** `)` alone, or `) else (`, which is taken when the block before it was not. */
function closeBlock(script: Script, text: string, line: number): void {
  const was = script.blocks.pop() ?? true;
  const rest = /^\)\s*else\s*([\s\S]*)$/i.exec(text)?.[1];
  if (rest === undefined) return;
  if (/^if\b/i.test(rest) && was) script.blocks.push(false);
  else if (rest === "(") script.blocks.push(!was);
  else if (!was) runLine(script, [{ text: rest.replace(/^\(|\)$/g, ""), line }], line);
}

function runIf(script: Script, text: string, line: number): void {
  const [head, rest] = splitCondition(expand(text.replace(/^if\s+/i, ""), script.variables));
  const isLive = script.blocks.every(Boolean);
  const met = isLive ? holds(head, script.variables) : false;
  if (met === null) script.unread.push({ line, text: `if ${head}, which is taken as not met` });
  if (/^\(\s*$/.test(rest)) {
    script.blocks.push(met === true);
    return;
  }
  const [, then = rest, other] = /^\(([\s\S]*?)\)\s*(?:else\s*\(?([\s\S]*?)\)?)?$/i.exec(rest) ?? [];
  const chosen = met === true ? then : other;
  if (isLive && chosen !== undefined) runLine(script, [{ text: chosen, line }], line);
}

const CONDITION =
  /^((?:\/i\s+)?(?:not\s+)?(?:defined\s+\S+|exist\s+(?:"[^"]*"|\S+)|errorlevel\s+\d+|(?:"[^"]*"|[^\s=]*)\s*(?:==|\b(?:equ|neq|gtr|geq|lss|leq)\b)\s*(?:"[^"]*"|[^\s(]*)))\s*([\s\S]*)$/i;

function splitCondition(text: string): [string, string] {
  const [, head = text, rest = ""] = CONDITION.exec(text) ?? [];
  return [head, rest];
}

function holds(condition: string, variables: ReadonlyMap<string, string>): boolean | null {
  const [, not, inner = ""] = /^(?:\/i\s+)?(not\s+)?([\s\S]*)$/i.exec(condition) ?? [];
  const met = holdsPlain(inner.trim(), variables);
  return met === null ? null : met !== (not !== undefined);
}

function holdsPlain(condition: string, variables: ReadonlyMap<string, string>): boolean | null {
  const defined = /^defined\s+(\S+)$/i.exec(condition)?.[1];
  if (defined !== undefined) return (variables.get(defined.toLowerCase()) ?? "") !== "";
  const [, left, sign = "", right] = /^("[^"]*"|[^\s=]*)\s*(==|equ|neq|gtr|geq|lss|leq)\s*("[^"]*"|\S*)$/i.exec(condition) ?? [];
  if (left === undefined || right === undefined) return null;
  const relation = RELATIONS.get(sign.toLowerCase());
  return relation === undefined ? null : isRelated(left.replace(/"/g, ""), relation, right.replace(/"/g, ""));
}

const RELATIONS: ReadonlyMap<string, Relation> = new Map([
  ["==", "eq"],
  ["equ", "eq"],
  ["neq", "ne"],
  ["gtr", "gt"],
  ["geq", "ge"],
  ["lss", "lt"],
  ["leq", "le"],
]);

function runCommand({ variables, commands, unread }: Script, parts: readonly Word[]): void {
  const text = parts
    .map((part) => part.text)
    .join(" ")
    .trim()
    .replace(/^@+/, "");
  const [, sum, quoted, name, value] = /^set\s+(?:(\/a)\s+)?(?:"(\w+=[^"]*)"|(\w+)\s*=([\s\S]*))/i.exec(text) ?? [];
  if (quoted !== undefined || name !== undefined) {
    const [key = "", ...rest] = quoted === undefined ? [name ?? "", value ?? ""] : quoted.split("=");
    const plain = expand(rest.join("=").trim(), variables);
    variables.set(key.toLowerCase(), sum === undefined ? plain : String(total(plain, variables)));
    return;
  }
  if (/^set\b/i.test(text)) unread.push({ line: parts[0]?.line ?? 1, text });
  const words: Word[] = [];
  for (const part of parts)
    for (const word of splitWords(expand(part.text, variables).replace(/\s[12]?>{1,2}.*$|\|.*$/, "")))
      words.push({ text: word, line: part.line });
  const isCalled = /^(call|start)$/i.test(words[0]?.text ?? "");
  commands.push(isCalled ? words.slice(1) : words);
}

function total(expression: string, variables: ReadonlyMap<string, string>): number {
  const plain = expression.replace(/[A-Za-z_]\w*/g, (name) => variables.get(name.toLowerCase()) || "0");
  const [, left, sign, right] = /^\s*(-?\d+)\s*(?:([-+*/])\s*(-?\d+))?\s*$/.exec(plain) ?? [];
  const [a, b] = [Number(left), Number(right)];
  if (sign === undefined) return a;
  return sign === "+" ? a + b : sign === "-" ? a - b : sign === "*" ? a * b : Math.trunc(a / b);
}

/** %NAME% and !NAME!; a name that was never set is empty, %~dp0 and the like too. */
function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text
    .replace(/%~[a-z]*\d|%\d|%\*/gi, "")
    .replace(
      /%(\w+)(?::[^%]*)?%|!(\w+)!/g,
      (_, percent?: string, mark?: string) => variables.get((percent ?? mark ?? "").toLowerCase()) ?? "",
    );
}
