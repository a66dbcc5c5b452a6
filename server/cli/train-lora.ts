import { failureOf } from "../trainer/failure-of.js";
import { autotagCommand, taggersCommand } from "./autotag.js";
import { bucketsCommand } from "./buckets.js";
import { type Command, UsageError } from "./command.js";
import { datasetCommands } from "./dataset.js";
import { gridCommand } from "./grid.js";
import { loraCommands } from "./lora.js";
import { networksCommand } from "./networks.js";
import type { Output } from "./output.js";
import { planCommand } from "./plan.js";
import { settingsCommands } from "./settings.js";
import { setupCommand } from "./setup.js";
import { trainCommand } from "./train.js";

const COMMANDS: readonly Command[] = [
  setupCommand,
  ...datasetCommands,
  taggersCommand,
  autotagCommand,
  planCommand,
  ...settingsCommands,
  trainCommand,
  gridCommand,
  ...loraCommands,
  networksCommand,
  bucketsCommand,
];

/** Runs the command line; resolves to the exit code: 0 done, 1 the work failed, 2 wrong usage. Never rejects. */
export async function trainLora(args: readonly string[], out: Output): Promise<number> {
  try {
    return await runCommand(args, out);
  } catch (error) {
    return tell(error, args, out);
  }
}

async function runCommand(args: readonly string[], out: Output): Promise<number> {
  const command = COMMANDS.find(({ words }) => words.split(" ").every((word, index) => args[index] === word));
  if (command !== undefined) return command.execute(args.slice(command.words.split(" ").length), out);
  const [first, second] = args.filter((arg) => !arg.startsWith("-"));
  const group = COMMANDS.filter(({ words }) => first !== undefined && words.startsWith(`${first} `));
  const wantsHelp = args.includes("--help") || args.includes("-h");
  if (wantsHelp && (first === undefined || group.length > 0)) {
    out.text(overview(group.length > 0 ? group : COMMANDS));
    return 0;
  }
  if (first === undefined) throw new UsageError("Expected a command, but none was given.");
  throw new UsageError(`There is no command "${group.length > 0 && second !== undefined ? `${first} ${second}` : first}".`);
}

// The one place where a command's error is caught.
function tell(error: unknown, args: readonly string[], out: Output): number {
  if (!(error instanceof UsageError)) {
    out.failure(failureOf(error));
    return 1;
  }
  const words = args.filter((arg) => !arg.startsWith("-")).slice(0, 2);
  const known = COMMANDS.find((command) => words.join(" ").startsWith(command.words));
  out.failure({ code: "bad_request", message: `${error.message} See train-lora ${known ? `${known.words} ` : ""}--help.` });
  return 2;
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ words }) => words.length));
  return `train-lora COMMAND …

${commands.map(({ words, summary }) => `  ${words.padEnd(width)}  ${summary}`).join("\n")}

Every command takes --home DIR (else TRAIN_LORA_HOME, else data/ in the checkout), --json and --help.
Exit code: 0 done, 1 the work failed, 2 wrong usage.

Example: train-lora dataset scan my-pictures
`;
}
