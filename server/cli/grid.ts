import { join, resolve } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { Grid } from "../../protocol/grid.js";
import { gridRequest } from "../grid/grid-request.js";
import { homePaths } from "../paths.js";
import { drawGrid } from "../trainer/draw-grid.js";
import { defineCommand, UsageError } from "./command.js";
import { decimalNumber, numberList, wholeNumber } from "./numbers.js";

export const gridCommand = defineCommand({
  words: "grid",
  summary: "draw LoRA files × weights × prompts × seeds beside the base model",
  help: `grid --lora FILE… --weights N,… --prompt TEXT… --seed N… -o DIR

  --lora FILE…      the rows; several after one --lora, or --lora repeated
  --weights N,…     the columns (default 0.4,0.6,0.8,1,1.2); the column without a LoRA is always there
  --prompt TEXT…    one table for each
  --seed N…         (default 1)
  -o, --out DIR     gets sheet.png, grid.json and the cells
  --base FILE       the base model (default: found by what the LoRA files say)
  --vae FILE        an autoencoder in place of the base model's own
  --prediction KIND epsilon or v, where the base model's file does not tell
  --steps N, --cfg-scale N, --negative-prompt TEXT   as in the WebUI

Example: train-lora grid --lora moss-000001.safetensors moss.safetensors --weights 0,0.4,0.7,1 --prompt "mossling, forest" --seed 1 -o grid`,
  options: {
    lora: { type: "string", multiple: true },
    weights: { type: "string" },
    prompt: { type: "string", multiple: true },
    seed: { type: "string", multiple: true },
    out: { type: "string", short: "o" },
    base: { type: "string" },
    vae: { type: "string" },
    prediction: { type: "string" },
    steps: { type: "string" },
    "cfg-scale": { type: "string" },
    "negative-prompt": { type: "string" },
  },
  positionals: [],
  lists: ["--lora", "--prompt", "--seed"],
  async run({ values, home, out }) {
    if (!values.lora?.length) throw new UsageError("Expected at least one --lora FILE, but none was given.");
    if (!values.prompt?.length) throw new UsageError("Expected at least one --prompt TEXT, but none was given.");
    if (values.out === undefined) throw new UsageError("Expected -o DIR for the pictures, but it was not given.");
    const weights = values.weights === undefined ? undefined : numberList("--weights", values.weights);
    const seeds = values.seed?.map((seed) => wholeNumber("--seed", seed, { min: 0 }) ?? 0);
    const steps = wholeNumber("--steps", values.steps);
    const cfgScale = decimalNumber("--cfg-scale", values["cfg-scale"]);
    const predictionType = predictionOf(values.prediction);
    const outDir = resolve(values.out);
    const request = await gridRequest({
      home,
      loras: values.lora,
      outDir,
      settings: {
        prompts: values.prompt,
        ...(weights && { weights }),
        ...(seeds && { seeds }),
        ...(steps && { steps }),
        ...(cfgScale && { cfgScale }),
        ...(values["negative-prompt"] !== undefined && { negativePrompt: values["negative-prompt"] }),
      },
      ...(values.base !== undefined && { baseModel: values.base }),
      ...(values.vae !== undefined && { vae: values.vae }),
      ...(predictionType && { predictionType }),
    });
    const interrupted = new AbortController();
    const interrupt = () =>
      interrupted.abort(new FailureError("crashed", "The drawing was interrupted; the same command draws the grid anew."));
    process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
    const grid = await drawGrid({ paths: homePaths(home), request, onProgress: out.note, signal: interrupted.signal });
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    const paths = { gridDir: outDir, sheetFile: join(outDir, grid.sheet), gridFile: join(outDir, "grid.json") };
    out.result({ ...grid, ...paths }, describe(grid, paths.sheetFile));
  },
});

function predictionOf(text: string | undefined): "epsilon" | "v" | undefined {
  if (text === undefined || text === "epsilon" || text === "v") return text;
  throw new UsageError(`Expected --prediction epsilon or v, but got ${text}.`);
}

function describe(grid: Grid, sheetFile: string): string {
  const broken = grid.cells.filter(({ flags }) => flags.length > 0).length;
  return `${grid.cells.length} cells drawn on ${grid.baseModel}${broken > 0 ? `, ${broken} of them look wrong` : ""}: ${sheetFile}`;
}
