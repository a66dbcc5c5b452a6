import { z } from "zod";

/** What memory a run may take, at the cost of time: fields of Settings, with kohya's option in brackets. */
export const memoryFields = {
  /** (`gradient_checkpointing`) activations are made again in the backward pass instead of being kept; the same LoRA. */
  gradientCheckpointing: z.boolean().default(false),
  /** (`fp8_base_unet`, `fp8_base`) how the weights of the UNet's blocks are kept: a byte a number in fp8 and int8, unpacked where used. */
  baseWeights: z.enum(["full", "fp8", "int8"]).default("full"),
};
