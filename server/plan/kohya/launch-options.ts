import { FailureError } from "../../../protocol/errors.js";
import type { SettingsImport } from "../../../protocol/settings-import.js";
import { argumentOptions, type Word } from "./argument-options.js";
import type { FileOption, FoundOptions } from "./option.js";

/** A command as the script would run it, every variable in it replaced. */
export type Command = readonly Word[];

type Unread = FoundOptions["unread"][number];

/**
 * The options of the command that starts the training. Further trainings of the same script are told as unread.
 * Throws `bad_settings` when the script starts none.
 */
export function launchOptions(
  format: SettingsImport["format"],
  script: { readonly commands: readonly Command[]; readonly unread: readonly Unread[]; readonly name: string },
): FoundOptions {
  const launches = script.commands.filter(isLaunch);
  const [first, ...others] = launches;
  if (first === undefined)
    throw new FailureError(
      "bad_settings",
      `Expected ${script.name} to start sd-scripts with options such as --network_dim, but it runs no such command; choose the script that starts the training.`,
    );
  const further = others.map((words) => ({ line: words[0]?.line ?? 1, text: "another training, which begins in this line" }));
  return { format, options: optionsOf(first), unread: [...script.unread, ...further] };
}

function isLaunch(words: Command): boolean {
  const starts = words.some(({ text }) => /(^|[\\/."'])(train|\w*train_network|\w*train)\w*\.py$|accelerate/i.test(text));
  return starts && words.some(({ text }) => /^--\w/.test(text));
}

/** What stands before the training's own program is meant for accelerate; it must not swallow the program's name as a value. */
function optionsOf(words: Command): FileOption[] {
  const at = words.findLastIndex(({ text }) => /\.py$/i.test(text));
  return at < 0 ? argumentOptions(words) : [...argumentOptions(words.slice(0, at)), ...argumentOptions(words.slice(at + 1))];
}
