import type { FileOption } from "./option.js";

/** One word of a command. */
export type Word = { readonly text: string; readonly line: number | null };

/** `--name=value`, `--name value`, `--name a=1 b=2` and the flag `--name` as options; words before the first option are passed over. */
export function argumentOptions(words: readonly Word[]): FileOption[] {
  const options: FileOption[] = [];
  let open: { name: string; values: string[]; line: number | null } | null = null;
  const close = () => {
    if (open !== null)
      options.push({ name: open.name, shownAs: `--${open.name}`, value: valueFrom(open.values), line: open.line, depth: 0 });
    open = null;
  };
  for (const { text, line } of words) {
    const option = /^--([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(text);
    if (option === null) {
      open?.values.push(text);
      continue;
    }
    close();
    const name = (option[1] ?? "").replaceAll("-", "_");
    open = { name, values: option[2] === undefined ? [] : [unquoted(option[2])], line };
  }
  close();
  return options;
}

function valueFrom(values: readonly string[]): unknown {
  if (values.length === 0) return true;
  return values.length === 1 ? values[0] : values;
}

function unquoted(text: string): string {
  return /^(["']).*\1$/s.test(text) ? text.slice(1, -1) : text;
}
