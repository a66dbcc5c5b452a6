import { type ParseArgsConfig, parseArgs } from "node:util";
import { resolveHome } from "../paths.js";
import type { Output } from "./output.js";

/** Wrong usage of the command line: exit code 2. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Every command has these. */
const COMMON = {
  home: { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

type Values<Own extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Own & typeof COMMON; allowPositionals: true }>
>["values"];

export type Input<Own extends Options> = {
  readonly values: Values<Own>;
  readonly positionals: readonly string[];
  readonly home: string;
  readonly out: Output;
};

/** A command of `train-lora`, found by its words. */
export type Command = {
  readonly words: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly help: string;
  /** Resolves to the exit code; throws UsageError, or a Failure. */
  execute(args: readonly string[], out: Output): Promise<number>;
};

export type Definition<Own extends Options> = {
  readonly words: string;
  readonly summary: string;
  /** The line after `train-lora`, the options in lines of their own, and an example. */
  readonly help: string;
  readonly options: Own;
  /** Names of the positional arguments; all of them are wanted. */
  readonly positionals: readonly string[];
  /** Options that take every value up to the next option: `--lora A B` is `--lora A --lora B`. */
  readonly lists?: readonly string[];
  run(input: Input<Own>): Promise<number | undefined>;
};

export function defineCommand<const Own extends Options>(definition: Definition<Own>): Command {
  const { words, summary, options, run } = definition;
  const help = `train-lora ${definition.help}\nEvery command also takes --home DIR, --json and --help.\n`;
  return {
    words,
    summary,
    help,
    async execute(args, out) {
      const spread = spreadLists(args, definition.lists ?? []);
      const common = parseArgs({ args: spread, options: COMMON, strict: false }).values;
      if (common.help === true) {
        out.text(help);
        return 0;
      }
      const { values, positionals } = parse(spread, { ...options, ...COMMON });
      checkPositionals(definition.positionals, positionals);
      return (await run({ values, positionals, home: resolveHome(typeof common.home === "string" ? common.home : undefined), out })) ?? 0;
    },
  };
}

function parse<const All extends Options>(args: string[], options: All) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(sentence(error));
  }
}

function spreadLists(args: readonly string[], lists: readonly string[]): string[] {
  let list: string | null = null;
  let first = false;
  return args.flatMap((arg) => {
    if (arg.length > 1 && arg.startsWith("-")) {
      list = lists.includes(arg) ? arg : null;
      first = true;
      return [arg];
    }
    const spread = list !== null && !first ? [list, arg] : [arg];
    first = false;
    return spread;
  });
}

function checkPositionals(names: readonly string[], given: readonly string[]): void {
  const missing = names.slice(given.length);
  if (missing.length > 0) throw new UsageError(`Expected ${missing.join(" and ")}, but nothing was given for it.`);
  if (given.length > names.length)
    throw new UsageError(`Expected ${names.join(" ") || "no argument"}, but got "${given.slice(names.length).join(" ")}" as well.`);
}

function sentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.endsWith(".") ? message : `${message}.`;
}
