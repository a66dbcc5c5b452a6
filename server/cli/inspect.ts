import { resolve } from "node:path";
import { inspectLora } from "../library/inspect.js";
import { defineCommand } from "./command.js";

export const inspectCommand = defineCommand({
  words: "lora inspect",
  summary: "tell what a LoRA file is and how it was trained",
  help: `lora inspect FILE

FILE is a .safetensors LoRA of any trainer. Nothing is loaded or changed.

Example: train-lora lora inspect models/Lora/mossling.safetensors`,
  options: {},
  positionals: ["FILE"],
  async run({ positionals: [file = ""], out }) {
    const inspection = await inspectLora(resolve(file));
    out.result(inspection, inspection.words.join("\n"));
  },
});
