import { resolve } from "node:path";
import { inspectLora } from "../library/inspect.js";
import { runLoraTool } from "../lora-tools/run-lora-tool.js";
import { homePaths } from "../paths.js";
import { defineCommand } from "./command.js";
import { resultWords } from "./lora-words.js";

export const inspectCommand = defineCommand({
  words: "lora inspect",
  summary: "tell what a LoRA file is and how it was trained",
  help: `lora inspect FILE [--ranks]

FILE is a .safetensors LoRA of any trainer. Nothing is changed.

  --ranks   norm, effective and stable rank and the dims for 90 and 99 % of each layer, which the trainer computes

Example: train-lora lora inspect models/Lora/mossling.safetensors`,
  options: { ranks: { type: "boolean" } },
  positionals: ["FILE"],
  async run({ values, positionals: [file = ""], home, out }) {
    const inspection = await inspectLora(resolve(file));
    const words = inspection.words.join("\n");
    if (values.ranks !== true) return void out.result(inspection, words);
    const ranks = await runLoraTool(homePaths(home), { tool: "inspect", file: resolve(file) }, out.note);
    out.result({ ...inspection, ranks }, `${words}\n${resultWords(ranks)}`);
    return undefined;
  },
});
