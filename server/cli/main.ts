import { openOutput } from "./output.js";
import { trainLora } from "./train-lora.js";

// Left behind by `npm run`; here relative paths mean the folder that the command was called in.
delete process.env.TRAIN_LORA_INVOKED_FROM;
const args = process.argv.slice(2);
process.exitCode = await trainLora(args, openOutput(args.includes("--json")));
