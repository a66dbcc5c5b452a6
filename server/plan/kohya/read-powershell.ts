import type { Word } from "./argument-options.js";
import { type Command, launchOptions } from "./launch-options.js";
import { lineOf } from "./line-of.js";
import type { FoundOptions } from "./option.js";
import { evaluatePowershell, expandPowershell, isTrue, type Variables } from "./powershell-expression.js";
import { asList } from "./script-values.js";

/** The options with which a PowerShell script starts sd-scripts. Throws `bad_settings` when it starts no training. */
export function readPowershell(text: string, name: string): FoundOptions {
  const script: Script = { text, lineOf: lineOf(text), variables: new Map(), commands: [], unread: [] };
  // A bracket that closes nothing must not end the script.
  for (let at = 0; at < text.length; ) at = runBlock(script, at, true);
  return launchOptions("powershell", { commands: script.commands, unread: script.unread, name });
}

type Script = {
  readonly text: string;
  readonly lineOf: (offset: number) => number;
  readonly variables: Variables;
  readonly commands: Command[];
  readonly unread: { line: number; text: string }[];
};

/** Follows statements from `at` to the end of their block; returns the offset behind it. Nothing is done where `live` is false. */
function runBlock(script: Script, at: number, live: boolean): number {
  const { text } = script;
  let offset = at;
  while (offset < text.length) {
    const gap = /(?:[\s;]|<#[\s\S]*?#>|#[^\n]*)*/y;
    gap.lastIndex = offset;
    gap.exec(text);
    offset = gap.lastIndex;
    if (offset >= text.length) break;
    if (text[offset] === "}") return offset + 1;
    const keyword = /^(if|else|elseif|param|try|finally|catch|function|foreach|for|while|do|switch)\b/i.exec(
      text.slice(offset, offset + 12),
    )?.[1];
    if (keyword === undefined) offset = runStatement(script, offset, live);
    else offset = runKeyword(script, { offset, keyword: keyword.toLowerCase(), live });
  }
  return offset;
}

function runKeyword(script: Script, { offset, keyword, live }: { offset: number; keyword: string; live: boolean }): number {
  const { text } = script;
  if (keyword === "if") return runIf(script, offset, live);
  const open = text.slice(offset).search(/[{(]/);
  if (open < 0) return text.length;
  if (keyword === "try" || keyword === "finally") return runBlock(script, offset + open + 1, live);
  if (keyword === "param") {
    const end = closing(text, offset + open);
    const parts = text.slice(offset + open + 1, end - 1).replace(/,(?=\s*(?:#[^\n]*)?(?:\s*\[|\s*\$|\s*$))/g, ";");
    runBlock({ ...script, text: parts, lineOf: (inner) => script.lineOf(offset + open + 1 + inner) }, 0, live);
    return end;
  }
  if (live && keyword !== "catch") script.unread.push({ line: script.lineOf(offset), text: `${keyword} { … }, which is not followed` });
  const brace = text.indexOf("{", offset);
  return brace < 0 ? text.length : closing(text, brace);
}

function runIf(script: Script, start: number, live: boolean): number {
  const { text } = script;
  let offset = start;
  let open = live;
  for (;;) {
    const head = /^\s*(?:#[^\n]*\n\s*)*(if|elseif|else)\b\s*/i.exec(text.slice(offset));
    if (head === null || (offset !== start && head[1]?.toLowerCase() === "if")) return offset;
    offset += head[0].length;
    let isMet = open;
    if (head[1]?.toLowerCase() !== "else") {
      const end = closing(text, offset);
      isMet = open && holds(script, text.slice(offset + 1, end - 1), offset);
      offset = end;
    }
    const brace = text.indexOf("{", offset);
    if (brace < 0) return text.length;
    offset = runBlock(script, brace + 1, isMet);
    open &&= !isMet;
  }
}

function holds(script: Script, condition: string, offset: number): boolean {
  const value = evaluatePowershell(condition, script.variables);
  if (value !== undefined) return isTrue(value);
  script.unread.push({ line: script.lineOf(offset), text: `if (${condition.trim()}), which is taken as not met` });
  return false;
}

function runStatement(script: Script, offset: number, live: boolean): number {
  const end = endOfStatement(script.text, offset);
  if (!live) return end;
  const statement = script.text.slice(offset, end).replace(/`[ \t]*\n/g, (gap) => " ".repeat(gap.length));
  const assignment = /^(?:\[\w[\w.]*(?:\[\])?\]\s*)*\$(?:env:|global:|script:|local:)?\{?(\w+)\}?\s*(\+?=)(?!=)\s*([\s\S]*)$/i.exec(
    statement,
  );
  const added = /^(?:\[void\]\s*|\$null\s*=\s*)*\$(\w+)\.Add(?:Range)?\(([\s\S]*)\)\s*(?:\|[\s\S]*)?$/i.exec(statement);
  if (added) put(script, { name: added[1] ?? "", expression: added[2] ?? "", isMore: true, offset });
  else if (assignment) put(script, { name: assignment[1] ?? "", expression: assignment[3] ?? "", isMore: assignment[2] === "+=", offset });
  else script.commands.push(wordsOf(script, statement, offset));
  return end;
}

function put(
  script: Script,
  { name, expression, isMore, offset }: { name: string; expression: string; isMore: boolean; offset: number },
): void {
  const { variables } = script;
  const key = name.toLowerCase();
  const value = evaluatePowershell(expression, variables);
  if (value === undefined) {
    // Only what may end up in the command is worth a word.
    if (/--\w|@\{/.test(expression)) script.unread.push({ line: script.lineOf(offset), text: `$${name} = ${expression.trim()}` });
    if (!isMore) variables.set(key, null);
    return;
  }
  const before = variables.get(key) ?? null;
  if (!isMore) variables.set(key, value);
  else if (typeof before === "string" || typeof before === "number") variables.set(key, `${before}${asList(value).join(" ")}`);
  else variables.set(key, [...asList(before), ...asList(value)]);
}

const WORD = /(?:"(?:`.|""|[^"`])*"|'(?:''|[^'])*'|\$\([^)]*\)|`.|[^\s"'`|;])+/g;

function wordsOf({ variables, lineOf: line }: Script, statement: string, offset: number): Word[] {
  const words: Word[] = [];
  let end = 0;
  for (const match of statement.matchAll(WORD)) {
    const raw = match[0];
    // What follows belongs to another program, or to a file that takes the output.
    if (/^(#|[12*&]?>)/.test(raw) || statement.slice(end, match.index).includes("|")) break;
    end = match.index + raw.length;
    const at = line(offset + match.index);
    const whole = /^[$@](?:env:)?\{?(\w+)\}?$/i.exec(raw);
    const value = whole && variables.get((whole[1] ?? "").toLowerCase());
    if (whole && typeof value === "object") words.push(...asList(value).map((text) => ({ text, line: at })));
    else words.push({ text: pieces(raw, variables), line: at });
  }
  return words.filter(({ text }) => text !== "");
}

function pieces(raw: string, variables: Variables): string {
  return raw
    .split(/("(?:`.|""|[^"`])*"|'(?:''|[^'])*')/)
    .map((piece) => {
      if (/^'.*'$/s.test(piece)) return piece.slice(1, -1).replaceAll("''", "'");
      return expandPowershell(/^".*"$/s.test(piece) ? piece.slice(1, -1) : piece, variables);
    })
    .join("");
}

const OPENING: Readonly<Record<string, string>> = { "(": ")", "{": "}", "[": "]" };

/** The offset behind the bracket that closes the one at `at`. */
function closing(text: string, at: number): number {
  const open: string[] = [];
  for (let offset = at; offset < text.length; offset = skipQuoted(text, offset)) {
    const char = text[offset] ?? "";
    const partner = OPENING[char];
    if (partner !== undefined) open.push(partner);
    else if (char === open.at(-1)) open.pop();
    if (open.length === 0) return offset + 1;
  }
  return text.length;
}

function endOfStatement(text: string, at: number): number {
  for (let offset = at; offset < text.length; ) {
    const char = text[offset] ?? "";
    if (char === "\n" || char === ";" || char === "}") return offset;
    const continued = /^`[ \t]*\n/.exec(text.slice(offset, offset + 80));
    if (continued) offset += continued[0].length;
    else if (OPENING[char] !== undefined) offset = closing(text, offset);
    else if (char === "#" && /\s/.test(text[offset - 1] ?? " ")) return offset;
    else offset = skipQuoted(text, offset);
  }
  return text.length;
}

/** The offset behind the character at `at`, or behind the text in quotes or the comment that begins there. */
function skipQuoted(text: string, at: number): number {
  const piece = /"(?:`[\s\S]|""|[^"`])*"|'(?:''|[^'])*'|`[\s\S]|<#[\s\S]*?#>|(?<=\s)#[^\n]*|[\s\S]/y;
  piece.lastIndex = at;
  piece.exec(text);
  return Math.max(at + 1, piece.lastIndex);
}
