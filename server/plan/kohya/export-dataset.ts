import { stringify } from "smol-toml";

/** A folder of pictures with captions as sd-scripts reads it. */
export type ExportSubset = {
  readonly folder: string;
  readonly repeats: number;
  /** Regularisation pictures. */
  readonly isReg: boolean;
};

/** The dataset config of sd-scripts for these folders; everything else about the pictures stands in the main config. */
export function exportDataset(subsets: readonly ExportSubset[]): string {
  const tables = subsets.map(({ folder, repeats, isReg }) => ({
    image_dir: folder,
    num_repeats: repeats,
    caption_extension: ".txt",
    ...(isReg && { is_reg: true }),
  }));
  return `${stringify({ general: { enable_bucket: true }, datasets: [{ subsets: tables }] })}\n`;
}
