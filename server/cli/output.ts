import { text as readAll } from "node:stream/consumers";
import type { Failure } from "../../protocol/errors.js";

/** A command's way to the outside: results to stdout, everything else to stderr. */
export type Output = {
  readonly json: boolean;
  /** A person is looking: progress may be drawn over itself. */
  readonly terminal: boolean;
  /** The command's result: one JSON line with --json, else the text. */
  result(value: unknown, text: string): void;
  /** Text on stdout whatever the mode; for help. */
  text(text: string): void;
  /** A line about how the work goes, on stderr. */
  note(line: string): void;
  /** Text on stderr as it is, for a line that is drawn over. */
  progress(text: string): void;
  failure(failure: Failure): void;
  /** All of stdin. */
  input(): Promise<string>;
};

export function openOutput(json: boolean): Output {
  // `train-lora … | head` closes our stdout; that is no reason for a stack trace.
  process.stdout.on("error", () => process.exit(0));
  const print = (text: string) => void process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  return {
    json,
    terminal: process.stderr.isTTY === true && !json,
    result: (value, text) => print(json ? JSON.stringify(value) : text),
    text: print,
    note: (line) => void process.stderr.write(`${line}\n`),
    progress: (text) => void process.stderr.write(text),
    input: () => readAll(process.stdin),
    failure({ code, message, details }) {
      process.stderr.write(`${message} [${code}]\n${details && !json ? `${details.trimEnd()}\n` : ""}`);
      if (json) print(JSON.stringify({ ok: false, code, message, ...(details ? { details } : {}) }));
    },
  };
}
