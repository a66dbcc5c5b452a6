import { z } from "zod";

/** What memory a run may take, at the cost of time: fields of Settings, with kohya's option in brackets. */
export const memoryFields = {
  /** (`gradient_checkpointing`) activations are made again in the backward pass instead of being kept; the same LoRA. */
  gradientCheckpointing: z.boolean().default(false),
};
