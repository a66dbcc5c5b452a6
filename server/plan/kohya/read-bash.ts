import { type BashToken, bashTokens } from "./bash-tokens.js";
import { arithmetic, expandText, expandWord, type Variables } from "./bash-words.js";
import { type Command, launchOptions } from "./launch-options.js";
import type { FoundOptions } from "./option.js";
import { asList, asText, isRelated, type Relation } from "./script-values.js";

/** The options with which a shell script, or one pasted command, starts sd-scripts. Throws `bad_settings` when it starts no training. */
export function readBash(text: string, name: string): FoundOptions {
  const script: Script = { tokens: bashTokens(text, name), at: 0, variables: new Map(), commands: [], unread: [], branches: [] };
  while (script.at < script.tokens.length) runNext(script);
  return launchOptions("bash", { commands: script.commands, unread: script.unread, name });
}

type Script = {
  readonly tokens: readonly BashToken[];
  at: number;
  readonly variables: Variables;
  readonly commands: Command[];
  readonly unread: { line: number; text: string }[];
  /** The ifs that are open, the innermost last. */
  readonly branches: { live: boolean; taken: boolean; outer: boolean }[];
};

type WordToken = Extract<BashToken, { kind: "word" }>;

const LOOPS: ReadonlySet<string> = new Set(["for", "while", "until", "select", "case"]);
const LEAD: ReadonlySet<string> = new Set([
  "then",
  "do",
  "done",
  "{",
  "}",
  "function",
  "export",
  "local",
  "declare",
  "readonly",
  "typeset",
  "exec",
  "nohup",
  "time",
]);

function isLive({ branches }: Script): boolean {
  return branches.every(({ live }) => live);
}

function runNext(script: Script): void {
  const token = script.tokens[script.at];
  if (token === undefined) return;
  if (token.kind === "sign") {
    script.at += 1;
    return;
  }
  const branch = script.branches.at(-1);
  switch (token.raw) {
    case "if":
      script.at += 1;
      script.branches.push({ outer: isLive(script), ...branchOf(isLive(script) && condition(script)) });
      return;
    case "elif": {
      script.at += 1;
      const isOpen = branch?.outer && !branch.taken;
      const isMet = condition(script) && isOpen;
      if (branch) Object.assign(branch, { live: isMet, taken: branch.taken || isMet });
      return;
    }
    case "else":
      script.at += 1;
      if (branch) Object.assign(branch, { live: branch.outer && !branch.taken, taken: true });
      return;
    case "fi":
      script.at += 1;
      script.branches.pop();
      return;
  }
  if (LOOPS.has(token.raw)) skipLoop(script, token);
  else runList(script, isLive(script));
}

function branchOf(isMet: boolean): { live: boolean; taken: boolean } {
  return { live: isMet, taken: isMet };
}

/** What stands between `if` and `then`. */
function condition(script: Script): boolean {
  let isMet = false;
  while (script.at < script.tokens.length) {
    const token = script.tokens[script.at];
    if (token?.kind === "word" && token.raw === "then") break;
    if (token?.kind === "sign") script.at += 1;
    else isMet = runList(script, true);
  }
  script.at += 1;
  return isMet;
}

/** Commands joined by && and ||; returns whether the last that ran went well. */
function runList(script: Script, live: boolean): boolean {
  let status = run(script, takeCommand(script), live);
  for (;;) {
    const token = script.tokens[script.at];
    if (token?.kind !== "sign" || !["&&", "||", "|", "|&"].includes(token.sign)) return status;
    script.at += 1;
    const command = takeCommand(script);
    if (token.sign === "&&") status = status && run(script, command, live);
    else if (token.sign === "||") status = status || run(script, command, live);
  }
}

function takeCommand(script: Script): WordToken[] {
  const words: WordToken[] = [];
  const isTest = () => words[0]?.raw === "[[" && words.at(-1)?.raw !== "]]";
  for (; script.at < script.tokens.length; script.at += 1) {
    const token = script.tokens[script.at];
    if (token === undefined || (token.kind === "sign" && !isTest())) break;
    words.push(token.kind === "word" ? token : { kind: "word", raw: token.sign, line: token.line });
  }
  return words;
}

function run(script: Script, written: readonly WordToken[], live: boolean): boolean {
  const lead = written.findIndex(({ raw }) => !LEAD.has(raw) && !/^-\w$/.test(raw));
  const words = lead < 0 ? [] : written.slice(lead);
  const [first] = words;
  if (first === undefined || !live) return true;
  if (["[", "[[", "test"].includes(first.raw) || first.raw.startsWith("((") || first.raw === "!") return testOf(script, words);
  const at = words.findIndex((word) => !/^\w+\+?=/.test(word.raw));
  for (const word of at < 0 ? words : words.slice(0, at)) assign(script, word);
  if (at < 0) return true;
  const end = words.findIndex(({ raw }) => /^([12&]?>|<)/.test(raw));
  const command = words.slice(at, end < 0 ? undefined : end);
  script.commands.push(command.flatMap(({ raw, line }) => expandWord(raw, script.variables).map((text) => ({ text, line }))));
  return true;
}

function assign({ variables }: Script, { raw, list }: WordToken): void {
  const [, name = "", sign, text = ""] = /^(\w+)(\+?=)([\s\S]*)$/.exec(raw) ?? [];
  const value = list === undefined ? expandText(text, variables) : list.flatMap((item) => expandWord(item, variables));
  if (sign === "=") variables.set(name, value);
  else if (typeof value === "string") variables.set(name, asText(variables.get(name) ?? null) + value);
  else variables.set(name, [...asList(variables.get(name) ?? null), ...value]);
}

function testOf(script: Script, words: readonly WordToken[]): boolean {
  const [first] = words;
  if (first?.raw === "!") return !testOf(script, words.slice(1));
  const sum = /^\(\(([\s\S]*)\)\)$/.exec(first?.raw ?? "")?.[1];
  const met =
    sum === undefined
      ? testWords(
          words.slice(1).filter(({ raw }) => !/^\]\]?$/.test(raw)),
          script.variables,
        )
      : testSum(sum, script.variables);
  if (met !== null) return met;
  script.unread.push({ line: first?.line ?? 1, text: `${words.map(({ raw }) => raw).join(" ")}, which is taken as not met` });
  return false;
}

function testWords(words: readonly WordToken[], variables: Variables): boolean | null {
  const joint = words.findIndex(({ raw }) => ["&&", "||", "-a", "-o"].includes(raw));
  if (joint >= 0) {
    const [left, right] = [testWords(words.slice(0, joint), variables), testWords(words.slice(joint + 1), variables)];
    if (left === null || right === null) return null;
    return ["&&", "-a"].includes(words[joint]?.raw ?? "") ? left && right : left || right;
  }
  if (words[0]?.raw === "!") {
    const met = testWords(words.slice(1), variables);
    return met === null ? null : !met;
  }
  const texts = words.map(({ raw }) => expandText(raw, variables));
  const [a = "", sign = "", b = ""] = texts;
  if (texts.length <= 1) return a !== "";
  if (texts.length === 2) return a === "-n" ? sign !== "" : a === "-z" ? sign === "" : null;
  return compareBy(sign, a, b);
}

function testSum(expression: string, variables: Variables): boolean | null {
  const [, left, sign = "", right] = /^([^=!<>]+)(==|!=|<=|>=|<|>)([^=]+)$/.exec(expression) ?? [];
  if (left === undefined || right === undefined) return arithmetic(expression, variables) !== 0;
  return compareBy(sign, String(arithmetic(left, variables)), String(arithmetic(right, variables)));
}

const RELATIONS: ReadonlyMap<string, Relation> = new Map([
  ["-eq", "eq"],
  ["-ne", "ne"],
  ["-gt", "gt"],
  [">", "gt"],
  ["-ge", "ge"],
  [">=", "ge"],
  ["-lt", "lt"],
  ["<", "lt"],
  ["-le", "le"],
  ["<=", "le"],
]);

function compareBy(sign: string, a: string, b: string): boolean | null {
  if (sign === "=" || sign === "==") return a === b;
  if (sign === "!=") return a !== b;
  const relation = RELATIONS.get(sign);
  return relation === undefined ? null : isRelated(a, relation, b);
}

/** A loop or a case is passed over whole, with a word about it. */
function skipLoop(script: Script, { raw, line }: WordToken): void {
  if (isLive(script)) script.unread.push({ line, text: `${raw} …, which is not followed` });
  let depth = 0;
  for (; script.at < script.tokens.length; script.at += 1) {
    const token = script.tokens[script.at];
    if (token?.kind !== "word") continue;
    if (LOOPS.has(token.raw)) depth += 1;
    else if (token.raw === "done" || token.raw === "esac") depth -= 1;
    if (depth === 0) break;
  }
  script.at += 1;
}
