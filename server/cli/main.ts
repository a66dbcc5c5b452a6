import { failureOf } from "../trainer/failure-of.js";
import { bucketsCommand } from "./buckets.js";
import { type Command, UsageError } from "./command.js";
import { datasetCommands } from "./dataset.js";
import { gridCommand } from "./grid.js";
import { inspectCommand } from "./inspect.js";
import { openOutput } from "./output.js";
import { planCommand } from "./plan.js";
import { trainCommand } from "./train.js";

const COMMANDS: readonly Command[] = [...datasetCommands, planCommand, trainCommand, gridCommand, inspectCommand, bucketsCommand];

// Left behind by `npm run`; here relative paths mean the folder that the command was called in.
delete process.env.TRAIN_LORA_INVOKED_FROM;
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const out = openOutput(args.includes("--json"));
  try {
    const command = COMMANDS.find(({ words }) => words.split(" ").every((word, index) => args[index] === word));
    if (command !== undefined) return await command.execute(args.slice(command.words.split(" ").length), out);
    const group = COMMANDS.filter(({ words }) => args[0] !== undefined && words.startsWith(`${args[0]} `));
    if (args.includes("--help") || args.includes("-h")) {
      const known = group.length > 0 || args[0]?.startsWith("-");
      if (known) {
        out.text(overview(group.length > 0 ? group : COMMANDS));
        return 0;
      }
    }
    throw new UsageError(
      args.length === 0
        ? "Expected a command, but none was given."
        : `There is no command "${args.slice(0, group.length > 0 ? 2 : 1).join(" ")}".`,
    );
  } catch (error) {
    return tell(error, args);
  }
}

// The one place where a command's error is caught.
function tell(error: unknown, args: readonly string[]): number {
  const out = openOutput(args.includes("--json"));
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
