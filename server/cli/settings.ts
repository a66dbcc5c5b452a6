import { join, resolve } from "node:path";
import { stringify } from "smol-toml";
import type { SettingsImport } from "../../protocol/settings-import.js";
import { writeAtomically } from "../dataset/write-atomically.js";
import { exportConfig } from "../plan/kohya/export-config.js";
import { exportDataset } from "../plan/kohya/export-dataset.js";
import { importSettings } from "../plan/kohya/import-settings.js";
import { readPlanFile } from "../plan/plan-file.js";
import { importSettingsFile } from "../plan/settings-file.js";
import { makeTrainingFolders } from "../trainer/kohya/training-folders.js";
import { type Command, defineCommand, UsageError } from "./command.js";

const importCommand = defineCommand({
  words: "settings import",
  summary: "read the settings of sd-scripts, kohya_ss or a script that starts them",
  help: `settings import FILE [-o settings.toml]

FILE is a config or dataset config of sd-scripts (.toml, .json), a preset of kohya_ss (.json), a script that starts sd-scripts
(.ps1, .sh, .bat), or "-": a command line on stdin. Every option is told as taken, not needed, unknown or refused.
Exit code 1 when a value was refused; the others are written all the same.

  -o, --out FILE   the settings as TOML, for \`train-lora plan --settings\`

Example: train-lora settings import train.ps1 -o settings.toml`,
  options: { out: { type: "string", short: "o" } },
  positionals: ["FILE"],
  async run({ values, positionals: [file = ""], out }) {
    const report = file === "-" ? importSettings(await out.input(), "") : await importSettingsFile(resolve(file));
    if (values.out !== undefined) await writeAtomically(resolve(values.out), `${stringify(report.settings)}\n`);
    out.result(report, describe(report, values.out));
    return report.refused.length > 0 ? 1 : 0;
  },
});

const exportCommand = defineCommand({
  words: "settings export",
  summary: "write a plan as sd-scripts' config and dataset config, with the pictures it trains on",
  help: `settings export PLAN -o DIR

PLAN is a plan.json of \`train-lora plan\`. DIR gets config.toml, dataset.toml and the folder pictures/ with a link to every picture that
is trained on, upright and with its caption, so that sd-scripts makes exactly the plan's steps:

  accelerate launch train_network.py --config_file DIR/config.toml

  -o, --out DIR    new or empty

Example: train-lora settings export plan.json -o for-kohya`,
  options: { out: { type: "string", short: "o" } },
  positionals: ["PLAN"],
  async run({ values, positionals: [file = ""], out }) {
    if (values.out === undefined) throw new UsageError("Expected -o DIR for the files, but it was not given.");
    const dir = resolve(values.out);
    const plan = await readPlanFile(resolve(file));
    const subsets = await makeTrainingFolders(plan, join(dir, "pictures"));
    const [config, dataset] = [join(dir, "config.toml"), join(dir, "dataset.toml")];
    const { outputName } = plan.settings;
    const places = { baseModel: plan.baseModel, outputName, outputDir: join(dir, "out"), datasetConfig: dataset };
    await writeAtomically(dataset, exportDataset(subsets));
    await writeAtomically(config, exportConfig(plan.settings, places));
    out.result({ config, dataset, subsets }, `${config}\n${dataset}`);
  },
});

export const settingsCommands: readonly Command[] = [importCommand, exportCommand];

function describe(report: SettingsImport, file: string | undefined): string {
  const at = (line: number | null) => (line === null ? "" : ` (line ${line})`);
  const part = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)]);
  return [
    ...part(
      "Taken",
      report.taken.map(
        ({ option, line, setting, value, assumed }) =>
          `${option}${at(line)} → ${setting} ${JSON.stringify(value)}${assumed ? ", which sd-scripts does without being told" : ""}`,
      ),
    ),
    ...part(
      "Not needed",
      report.notNeeded.map(({ option, line, reason }) => `${option}${at(line)}: ${reason}`),
    ),
    ...part(
      "Unknown, and not obeyed",
      report.unknown.map(({ option, line, value }) => `${option}${at(line)}${value === "" ? "" : ` = ${value}`}`),
    ),
    ...part(
      "Refused",
      report.refused.map(({ message }) => message),
    ),
    ...(file === undefined ? [] : [`Settings: ${file}`]),
  ].join("\n");
}
