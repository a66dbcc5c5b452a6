import { stringify } from "smol-toml";
import type { SubsetSettings } from "../../../protocol/picture-settings.js";
import { KOHYA_NAME_OF, kohyaOption } from "../kohya-names.js";

/** A folder of pictures with captions as sd-scripts reads it. */
export type ExportSubset = {
  readonly folder: string;
  readonly repeats: number;
  /** Regularisation pictures. */
  readonly isReg: boolean;
  /** What it has otherwise than the main config says. */
  readonly own: SubsetSettings;
};

/** The dataset config of sd-scripts for these folders; what all of them share stands in the main config. */
export function exportDataset(subsets: readonly ExportSubset[]): string {
  const tables = subsets.map(({ folder, repeats, isReg, own }) => ({
    image_dir: folder,
    num_repeats: repeats,
    caption_extension: ".txt",
    ...(isReg && { is_reg: true }),
    ...optionsOf(own),
  }));
  return `${stringify({ general: { enable_bucket: true }, datasets: [{ subsets: tables }] })}\n`;
}

function optionsOf(own: SubsetSettings): Record<string, unknown> {
  const options = Object.entries(own).map(([key, value]) => kohyaOption(KOHYA_NAME_OF.get(key) ?? key, value, own));
  return Object.fromEntries(options.flatMap((option) => (option === null ? [] : [[option.name, option.value]])));
}
