import { FailureError } from "../../../protocol/errors.js";

/** A word as it is written, a list in brackets behind `NAME=`, or a sign that parts commands. */
export type BashToken =
  | { readonly kind: "word"; readonly raw: string; readonly line: number; readonly list?: readonly string[] }
  | { readonly kind: "sign"; readonly sign: string; readonly line: number };

/** The words and signs of a bash script; comments and joined lines are gone. Throws `bad_settings` for a quote that never ends. */
export function bashTokens(text: string, name: string): BashToken[] {
  const tokens: BashToken[] = [];
  const reader: Reader = { text, at: 0, line: 1, name };
  while (reader.at < text.length) {
    const gap = take(reader, /(?:[ \t]|\\\n|#[^\n]*)+/y);
    if (reader.at >= text.length) break;
    if (gap !== null && text[reader.at - 1] === "#") continue;
    const { line } = reader;
    const sign = take(reader, /\n|;;|;|&&|\|\||\|&?|&(?!>)|\(\((?:[^()]|\([^()]*\))*\)\)|[()]/y);
    if (sign?.startsWith("((")) tokens.push({ kind: "word", raw: sign, line });
    else if (sign !== null) tokens.push({ kind: "sign", sign: sign === "\n" ? ";" : sign, line });
    else tokens.push(wordAt(reader));
  }
  return tokens;
}

type Reader = { readonly text: string; at: number; line: number; readonly name: string };

const PART =
  /\\[\s\S]|'[^']*'|"(?:\\[\s\S]|\$\([^)]*\)|\$(?!\()|[^"\\$])*"|\$\(\([^)]*\)\)|\$\([^)]*\)|\$\{[^}]*\}|`[^`]*`|[^\s;|&()"'`\\]/y;

function wordAt(reader: Reader): BashToken {
  const { line } = reader;
  let raw = "";
  for (let part = take(reader, PART); part !== null; part = take(reader, PART)) {
    raw += part === "\\\n" ? "" : part;
    if (/^\w+\+?=$/.test(raw) && reader.text[reader.at] === "(") {
      reader.at += 1;
      return { kind: "word", raw, line, list: listAt(reader) };
    }
  }
  if (raw === "") throw broken(reader, line);
  return { kind: "word", raw, line };
}

function listAt(reader: Reader): string[] {
  const items: string[] = [];
  const { line } = reader;
  for (;;) {
    take(reader, /(?:\s|\\\n|#[^\n]*)+/y);
    if (take(reader, /\)/y) !== null) return items;
    let raw = "";
    for (let part = take(reader, PART); part !== null; part = take(reader, PART)) raw += part;
    if (raw === "") throw broken(reader, line);
    items.push(raw);
  }
}

function take(reader: Reader, pattern: RegExp): string | null {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text)?.[0];
  if (found === undefined || found === "") return null;
  reader.at += found.length;
  reader.line += found.split("\n").length - 1;
  return found;
}

function broken({ name }: Reader, line: number): FailureError {
  return new FailureError(
    "bad_settings",
    `Expected a shell script in ${name}, but line ${line} has a quote or bracket that never ends; correct it.`,
  );
}
