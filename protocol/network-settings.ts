import { z } from "zod";

/** The kinds of network that can be trained; LyCORIS calls DoRA a LoRA with `dora_wd`. */
export const NetworkType = z.enum(["lora", "locon", "dora", "loha", "lokr"]);
export type NetworkType = z.infer<typeof NetworkType>;

const blocks = z
  .string()
  .max(1000)
  .refine(isBlocks, "25 numbers, 23 for SDXL, one a block, or down=8 mid=16 up=8 te=4 in part")
  .default("");
const dropout = z.number().min(0).lt(1).default(0);

/** What is trained in each layer: fields of Settings, in kohya's sense (its option in brackets). */
export const networkFields = {
  /** (`network_module` and `network_args`: networks.lora, or lycoris.kohya with its algo). */
  networkType: NetworkType.default("lora"),
  /** (`network_args` conv_dim) dim of the UNet's convolutions larger than 1×1; 0 leaves them alone; null: networkDim for locon, else 0. */
  convDim: z.int().min(0).max(1024).nullable().default(null),
  /** (`network_args` conv_alpha) */
  convAlpha: z.number().positive().default(1),
  /** (`network_args` block_dims) networkDim by block; 0 leaves the block's linear layers alone. "": networkDim everywhere. */
  blockDims: blocks,
  /** (`network_args` block_alphas) networkAlpha by block, likewise. */
  blockAlphas: blocks,
  /** (`network_args` factor) LoKr: into how many parts the sides of a weight are split; −1: as square as possible. */
  lokrFactor: z
    .int()
    .min(-1)
    .max(1024)
    .refine((factor) => factor !== 0, "-1 or at least 1")
    .default(-1),
  /** (`network_args` decompose_both) LoKr: the smaller factor is a product of two as well. */
  decomposeBoth: z.boolean().default(false),
  /** (`network_dropout`) share of the rank-sized products' numbers that a step leaves out; LoRA and LoCon only. */
  networkDropout: dropout,
  /** (`network_args` rank_dropout) share of a picture's ranks; for other kinds than LoRA and LoCon of the change's rows. */
  rankDropout: dropout,
  /** (`network_args` module_dropout) share of the layers that take no part in a step. */
  moduleDropout: dropout,
  /** (`scale_weight_norms`) a layer's change whose norm is above is scaled down after each step; 0: never. */
  scaleWeightNorms: z.number().nonnegative().default(0),
  /** (`network_args` loraplus_lr_ratio) LoRA+: how many times as fast the up halves learn. */
  loraPlusRatio: z.number().positive().max(1000).default(1),
  /** (`network_weights` with `dim_from_weights`) path of a LoRA to go on from; kind, dims and alphas are the file's. "": none. */
  networkWeights: z.string().default(""),
};

/** Whether a text gives values by block: nothing, one number for each of 25 or 23 blocks, or groups by name. */
export function isBlocks(text: string): boolean {
  const items = text.split(/[\s,;]+/).filter(Boolean);
  if (items.some((item) => item.includes("="))) return items.every((item) => /^(down|mid|up|te)=\d+(\.\d+)?$/.test(item));
  return [0, 23, 25].includes(items.length) && items.every((item) => /^\d+(\.\d+)?$/.test(item));
}
