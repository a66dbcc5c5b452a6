import { resolve } from "node:path";
import type { Plan } from "../../protocol/plan.js";
import { scanDataset } from "../dataset/scan.js";
import { readBaseModel } from "../library/base-model.js";
import { homePaths } from "../paths.js";
import { makePlan } from "../plan/make-plan.js";
import { writePlanFile } from "../plan/plan-file.js";
import { readSettingsFile } from "../plan/settings-file.js";
import { trainerDevice } from "../trainer/device.js";
import { defineCommand, UsageError } from "./command.js";
import { wholeNumber } from "./numbers.js";

export const planCommand = defineCommand({
  words: "plan",
  summary: "compute buckets, repeats, steps and file names, and freeze them",
  help: `plan DIR --base FILE [options] -o plan.json

  --base FILE         the Stable Diffusion 1 checkpoint to train upon
  --settings FILE     settings as TOML, in our names or kohya's
  --target-steps N    optimizer steps to aim at over the whole run
  --epochs N
  --batch-size N
  --name NAME         name of the LoRA files (default: the data set's)
  -o, --out FILE      where the plan goes; may be left out with --json, which prints it

Example: train-lora plan my-pictures --base v1-5-pruned-emaonly.safetensors --target-steps 2000 -o plan.json`,
  options: {
    base: { type: "string" },
    settings: { type: "string" },
    "target-steps": { type: "string" },
    epochs: { type: "string" },
    "batch-size": { type: "string" },
    name: { type: "string" },
    out: { type: "string", short: "o" },
  },
  positionals: ["DIR"],
  async run({ values, positionals: [dir = ""], home, out }) {
    if (values.base === undefined) throw new UsageError("Expected --base FILE, the checkpoint to train upon, but it was not given.");
    if (values.out === undefined && !out.json) throw new UsageError("Expected -o FILE for the plan, but it was not given.");
    const flags = {
      targetSteps: wholeNumber("--target-steps", values["target-steps"]),
      epochs: wholeNumber("--epochs", values.epochs),
      batchSize: wholeNumber("--batch-size", values["batch-size"]),
      outputName: values.name,
    };
    const file = values.settings === undefined ? { settings: {}, unknown: [] } : await readSettingsFile(resolve(values.settings));
    const baseModel = await readBaseModel(resolve(values.base));
    const dataset = await scanDataset(resolve(dir));
    const device = await trainerDevice(homePaths(home));
    const plan = makePlan({
      dataset,
      baseModel,
      settings: { ...file.settings, ...withoutUndefined(flags) },
      unknownSettings: file.unknown,
      now: Date.now(),
      ...(device && { device }),
    });
    if (values.out !== undefined) await writePlanFile(resolve(values.out), plan);
    out.result(plan, describe(plan, values.out));
  },
});

type Given<Flags> = { [Name in keyof Flags]?: NonNullable<Flags[Name]> };

function withoutUndefined(flags: {
  targetSteps: number | undefined;
  epochs: number | undefined;
  batchSize: number | undefined;
  outputName: string | undefined;
}): Given<typeof flags> {
  const { targetSteps, epochs, batchSize, outputName } = flags;
  return {
    ...(targetSteps !== undefined && { targetSteps }),
    ...(epochs !== undefined && { epochs }),
    ...(batchSize !== undefined && { batchSize }),
    ...(outputName !== undefined && { outputName }),
  };
}

function describe(plan: Plan, file: string | undefined): string {
  const held = plan.images.filter(({ heldOut }) => heldOut).length;
  const { epochs, batchSize, resolution } = plan.settings;
  return [
    `${plan.dataset.name} on ${plan.baseModel.name}: ${plan.images.length} pictures (${held} held out), ${resolution.width}x${resolution.height}, ${plan.buckets.length} buckets`,
    `${epochs} epochs × ${plan.stepsPerEpoch} steps = ${plan.totalSteps} steps of ${batchSize}; each picture is seen ${plan.exposuresPerImage.toFixed(0)} times`,
    `Writes ${plan.files.length} files, ${(plan.diskBytes / 1e6).toFixed(0)} MB in all: ${plan.files[0] ?? ""} … ${plan.files.at(-1) ?? ""}`,
    ...plan.warnings.map(({ code, message }) => `  ${code}: ${message}`),
    ...(file === undefined ? [] : [`Plan: ${file}`]),
  ].join("\n");
}
