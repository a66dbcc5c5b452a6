import { resolve } from "node:path";
import type { LoraTool } from "../../protocol/lora-tools.js";
import { proveResize } from "../lora-tools/resize-proof.js";
import { runLoraTool } from "../lora-tools/run-lora-tool.js";
import { homePaths } from "../paths.js";
import { type Command, defineCommand, type Input, UsageError } from "./command.js";
import { inspectCommand } from "./inspect.js";
import { proofWords, resultWords } from "./lora-words.js";
import { decimalNumber, neededNumber, numberList, wholeNumber } from "./numbers.js";

const OUT = { out: { type: "string", short: "o" }, precision: { type: "string" } } as const;
const DIMS = { dim: { type: "string" }, "conv-dim": { type: "string" } } as const;
const OUT_HELP = `  -o, --out FILE    the new LoRA; no file is ever written over
  --precision P     float, fp16 or bf16 (default: the file's)`;
const METHODS = ["fixed", "sv_ratio", "sv_fro", "sv_cumulative"] as const;
const STYLES = ["kohya", "peft"] as const;

const resizeCommand = defineCommand({
  words: "lora resize",
  summary: "make a LoRA of smaller dims whose change is the nearest to the old one's",
  help: `lora resize FILE --dim N [--conv-dim N] [--method M --target T] -o OUT

  --dim N           the dim; with a method the largest
  --conv-dim N      of convolutions (default: --dim)
  --method M        sv_ratio, sv_fro or sv_cumulative: each layer gets the dims that keep --target T
${OUT_HELP}
  --base FILE --dataset DIR   measure both upon this base model with these pictures: the stable losses before and after

Example: train-lora lora resize moss.safetensors --dim 32 --method sv_fro --target 0.95 -o moss-small.safetensors`,
  options: {
    ...OUT,
    ...DIMS,
    method: { type: "string" },
    target: { type: "string" },
    base: { type: "string" },
    dataset: { type: "string" },
  },
  positionals: ["FILE"],
  async run({ values, positionals: [file = ""], home, out }) {
    const method = oneOf("--method", values.method ?? "fixed", METHODS);
    const target = decimalNumber("--target", values.target);
    if (method !== "fixed" && target === undefined) throw new UsageError(`Expected --target for ${method}, but it was not given.`);
    if ((values.base === undefined) !== (values.dataset === undefined))
      throw new UsageError("Expected --base and --dataset together, but only one of them was given.");
    const dim = neededNumber("--dim", values.dim);
    const sizes = { dim, ...optional("convDim", wholeNumber("--conv-dim", values["conv-dim"])), method, target: target ?? 0 };
    const request: LoraTool = { tool: "resize", file: resolve(file), ...sizes, ...written(values) };
    const result = await runLoraTool(homePaths(home), request, out.note);
    if (values.base === undefined || values.dataset === undefined) {
      out.result(result, resultWords(result));
      return 0;
    }
    const pair = { base: resolve(values.base), dataset: resolve(values.dataset), before: request.file, after: request.out };
    const proof = await proveResize(homePaths(home), pair, out.note);
    out.result({ ...result, proof }, `${resultWords(result)}\n${proofWords(proof)}`);
    return 0;
  },
});

const mergeCommand = defineCommand({
  words: "lora merge",
  summary: "make one LoRA of several, each times its weight",
  help: `lora merge --lora FILE… [--weights W,…] [--dim N] -o OUT

  --lora FILE…      the LoRAs
  --weights W,…     one for each (default: 1 each)
  --dim N           the nearest to the sum at this dim (default: the exact sum, as large as all together)
  --conv-dim N      of convolutions (default: --dim)
${OUT_HELP}

Example: train-lora lora merge --lora moss.safetensors ink.safetensors --weights 0.8,0.5 --dim 32 -o moss-ink.safetensors`,
  options: { ...OUT, ...DIMS, lora: { type: "string", multiple: true }, weights: { type: "string" } },
  positionals: [],
  lists: ["--lora"],
  async run({ values, home, out }) {
    const files = (values.lora ?? []).map((file) => resolve(file));
    if (files.length < 2) throw new UsageError("Expected --lora with at least two files, but fewer were given.");
    const weights = values.weights === undefined ? files.map(() => 1) : numberList("--weights", values.weights);
    if (weights.length !== files.length)
      throw new UsageError(`Expected --weights with ${files.length} numbers, one for each --lora, but got ${weights.length}.`);
    const dim = wholeNumber("--dim", values.dim);
    const convDim = wholeNumber("--conv-dim", values["conv-dim"]);
    return tell({ tool: "merge", files, weights, ...optional("dim", dim), ...optional("convDim", convDim), ...written(values) }, home, out);
  },
});

const blendCommand = defineCommand({
  words: "lora blend",
  summary: "make one LoRA of several epochs of a run: their mean",
  help: `lora blend FILE --epochs 6-9 [--dim N] -o OUT

FILE is any epoch of the run; the others are found beside it by what they say of themselves.

  --epochs E        such as 6-9 or 3,5,8
  --dim N           (default: that of the files)
${OUT_HELP}

Example: train-lora lora blend moss.safetensors --epochs 6-9 -o moss-6-9.safetensors`,
  options: { ...OUT, dim: { type: "string" }, epochs: { type: "string" } },
  positionals: ["FILE"],
  async run({ values, positionals: [file = ""], home, out }) {
    if (values.epochs === undefined) throw new UsageError("Expected --epochs such as 6-9, but it was not given.");
    const dim = wholeNumber("--dim", values.dim);
    return tell({ tool: "blend", file: resolve(file), epochs: values.epochs, ...optional("dim", dim), ...written(values) }, home, out);
  },
});

const compareCommand = defineCommand({
  words: "lora compare",
  summary: "tell how two LoRAs differ, in their recipes and in what they change",
  help: `lora compare FIRST SECOND

Example: train-lora lora compare moss-000006.safetensors moss.safetensors`,
  options: {},
  positionals: ["FIRST", "SECOND"],
  run: ({ positionals: [first = "", second = ""], home, out }) =>
    tell({ tool: "compare", first: resolve(first), second: resolve(second) }, home, out),
});

const verifyCommand = defineCommand({
  words: "lora verify",
  summary: "tell whether A1111, Forge and diffusers find a layer for everything in a LoRA",
  help: `lora verify FILE [--base FILE | --kind K]

  --base FILE       the base model, of which the header is read (default: the ordinary one that the LoRA is for)
  --kind K          sd1, sd2 or sdxl: the ordinary one of this kind

Exit code 1 when something has no layer. Example: train-lora lora verify moss.safetensors`,
  options: { base: { type: "string" }, kind: { type: "string" } },
  positionals: ["FILE"],
  async run({ values, positionals: [file = ""], home, out }) {
    const kind = values.kind === undefined ? undefined : oneOf("--kind", values.kind, ["sd1", "sd2", "sdxl"]);
    const base = values.base === undefined ? undefined : resolve(values.base);
    const request: LoraTool = { tool: "verify", file: resolve(file), ...optional("base", base), ...optional("kind", kind) };
    const result = await runLoraTool(homePaths(home), request, out.note);
    out.result(result, resultWords(result));
    return result.tool === "verify" && !result.complete ? 1 : 0;
  },
});

const convertCommand = defineCommand({
  words: "lora convert",
  summary: "write a LoRA in another program's spelling",
  help: `lora convert FILE --to STYLE -o OUT

  --to STYLE        kohya, or peft: the keys that diffusers writes
${OUT_HELP}

Example: train-lora lora convert pytorch_lora_weights.safetensors --to kohya -o moss.safetensors`,
  options: { ...OUT, to: { type: "string" } },
  positionals: ["FILE"],
  async run({ values, positionals: [file = ""], home, out }) {
    if (values.to === undefined) throw new UsageError("Expected --to kohya or --to peft, but it was not given.");
    return tell({ tool: "convert", file: resolve(file), style: oneOf("--to", values.to, STYLES), ...written(values) }, home, out);
  },
});

/** Everything that is done with LoRA files after a run. */
export const loraCommands: readonly Command[] = [
  inspectCommand,
  resizeCommand,
  mergeCommand,
  blendCommand,
  compareCommand,
  verifyCommand,
  convertCommand,
];

async function tell(request: LoraTool, home: string, out: Input<Record<never, never>>["out"]): Promise<number> {
  const result = await runLoraTool(homePaths(home), request, out.note);
  out.result(result, resultWords(result));
  return 0;
}

function written(values: { out?: string | undefined; precision?: string | undefined }) {
  if (values.out === undefined) throw new UsageError("Expected -o FILE for the new LoRA, but it was not given.");
  const precision = values.precision === undefined ? undefined : oneOf("--precision", values.precision, ["float", "fp16", "bf16"]);
  return { out: resolve(values.out), ...optional("precision", precision) };
}

function oneOf<const Choice extends string>(option: string, text: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new UsageError(`${option} knows ${choices.join(", ")}, but got "${text}".`);
  return found;
}

function optional<const Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  const found: { [K in Key]?: Value } = {};
  if (value !== undefined) found[key] = value;
  return found;
}
