import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FailureError } from "../../../../protocol/errors.js";
import { SettingsImport } from "../../../../protocol/settings-import.js";
import { importSettings } from "../../../../server/plan/kohya/import-settings.js";

const PIECES = [
  "if",
  "then",
  "elif",
  "else",
  "elseif",
  "fi",
  "for",
  "done",
  "case",
  "esac",
  "{",
  "}",
  "(",
  ")",
  "((",
  "))",
  "[[",
  "]]",
  "[",
  "]",
  "@(",
  "@{",
  '"',
  "'",
  "`",
  "\\",
  "^",
  "$",
  "$x",
  "\u0024{x}",
  "\u0024{x:-1}",
  "\u0024{x[@]}",
  "$(ls)",
  "$((1+2))",
  "%x%",
  "!x!",
  "#",
  "<#",
  "#>",
  "::",
  "rem",
  "set x=1",
  "x=1",
  "x+=(",
  "$x = 1",
  "$x.Add(",
  "[void]",
  "-eq",
  "==",
  "&&",
  "||",
  "|",
  ">",
  ";",
  "\n",
  " ",
  "\t",
  "--network_dim=8",
  "--network_args",
  "a=b",
  "accelerate launch",
  "train_network.py",
  "param",
  "function f",
  "try",
  "catch",
  "[a]",
  "[[a]]",
  "a = 1",
  '"""',
  "{}",
  '{"a":',
  "1",
  ",",
  "é",
];
const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((pieces) => pieces.join(" "));

describe("any text", () => {
  test.each(["a.toml", "a.json", "a.ps1", "a.sh", "a.bat", ""])("as %j is read or refused in a sentence", (name) => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ maxLength: 60 })), (content) => {
        try {
          expect(SettingsImport.safeParse(importSettings(Buffer.from(content), name)).success).toBe(true);
        } catch (error) {
          if (!(error instanceof FailureError)) throw error;
          expect(error.failure).toMatchObject({ code: "bad_settings", message: expect.stringMatching(/^Expected /) });
        }
      }),
      { numRuns: 600, interruptAfterTimeLimit: 20_000 },
    );
  });
});
