import { resolve } from "node:path";
import { type Dataset, type FixReport, type ImportReport, ProblemCode } from "../../protocol/dataset.js";
import { fixDataset } from "../dataset/fix.js";
import { importDataset } from "../dataset/import.js";
import { scanDataset } from "../dataset/scan.js";
import { homePaths } from "../paths.js";
import { defineCommand, UsageError } from "./command.js";

const scan = defineCommand({
  words: "dataset scan",
  summary: "tell what a folder of pictures holds and what is wrong with it",
  help: `dataset scan DIR

DIR holds pictures with .txt captions, loose or in kohya's folders <repeats>_<name>. Nothing is changed.

Example: train-lora dataset scan my-pictures --json`,
  options: {},
  positionals: ["DIR"],
  async run({ positionals: [dir = ""], out }) {
    const dataset = await scanDataset(resolve(dir));
    out.result(dataset, describeDataset(dataset));
  },
});

const fix = defineCommand({
  words: "dataset fix",
  summary: "cure what a scan found; originals are kept",
  help: `dataset fix DIR [--trigger TAG] [--only CODE,…] [--dry-run]

  --trigger TAG   the tag that calls the concept; it is put first in every caption
  --only CODE,…   cure only these problems (codes as the scan tells them)
  --dry-run       only tell what would be done

Example: train-lora dataset fix my-pictures --trigger mossling --dry-run`,
  options: { trigger: { type: "string" }, only: { type: "string" }, "dry-run": { type: "boolean", default: false } },
  positionals: ["DIR"],
  async run({ values, positionals: [dir = ""], out }) {
    const report = await fixDataset(resolve(dir), {
      triggerWord: values.trigger,
      only: problemCodes(values.only),
      dryRun: values["dry-run"],
    });
    out.result(report, describeFix(report));
  },
});

const importFolder = defineCommand({
  words: "dataset import",
  summary: "copy a folder or zip of pictures into the home as a data set",
  help: `dataset import SRC --name NAME

SRC is a folder or a zip with pictures and .txt captions; it is only read.

Example: train-lora dataset import ~/pictures/mossling.zip --name mossling`,
  options: { name: { type: "string" } },
  positionals: ["SRC"],
  async run({ values, positionals: [source = ""], home, out }) {
    if (values.name === undefined) throw new UsageError("Expected --name NAME for the new data set, but it was not given.");
    const report = await importDataset({ source: resolve(source), name: values.name, datasetsDir: homePaths(home).datasetsDir });
    out.result(report, describeImport(report));
  },
});

export const datasetCommands = [scan, fix, importFolder];

function problemCodes(list: string | undefined): ProblemCode[] | undefined {
  return list?.split(",").map((text) => {
    const code = ProblemCode.safeParse(text.trim());
    if (!code.success) throw new UsageError(`--only knows ${ProblemCode.options.join(", ")}, but got "${text}".`);
    return code.data;
  });
}

function describeDataset({ name, images, subsets, triggerWord, problems }: Dataset): string {
  const folders = subsets.map((subset) => `  ${subset.name}: ${subset.images} × ${subset.repeats}`);
  const found = problems.map(
    ({ code, severity, message, images: which, fixable }) =>
      `  ${severity.padEnd(7)} ${code} (${which.length}${fixable ? ", fixable" : ""}): ${message}`,
  );
  return [
    `${name}: ${images.length} pictures${triggerWord ? `, trigger word ${triggerWord}` : ", no trigger word"}`,
    ...folders,
    ...(found.length > 0 ? ["Problems:", ...found] : ["No problems."]),
  ].join("\n");
}

function describeFix({ dryRun, changes, editId }: FixReport): string {
  const lines = changes.map(({ image, code, before, after }) => `  ${image}  ${code}: ${before} → ${after}`);
  const count = `${changes.length} ${changes.length === 1 ? "change" : "changes"}`;
  const head =
    changes.length === 0
      ? "Nothing to fix."
      : dryRun
        ? `${count} would be made:`
        : `${count} made, as the edit ${editId ?? ""}; the originals are kept:`;
  return [head, ...lines].join("\n");
}

function describeImport({ name, root, images, captions, skipped, notes }: ImportReport): string {
  const said = notes.map(
    ({ message, files }) => `  ${message}${files.length > 0 ? ` (${files.slice(0, 5).join(", ")}${files.length > 5 ? ", …" : ""})` : ""}`,
  );
  const left = skipped.map(({ file, reason }) => `  left behind: ${file}: ${reason}`);
  return [`${name}: ${images} pictures and ${captions} captions in ${root}`, ...said, ...left].join("\n");
}
