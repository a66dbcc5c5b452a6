/** Shapes by tensor name; a shape is null where only the names are known, as in a .ckpt. */
export type TensorShapes = ReadonlyMap<string, readonly number[] | null>;

/**
 * What a file that is no trainable Stable Diffusion 1 checkpoint is instead, as the rest of a sentence after "it is";
 * null for a checkpoint that can be trained. Keys as in CompVis' v1-inference layout.
 */
export function unsupportedKind(tensors: TensorShapes): string | null {
  const names = [...tensors.keys()];
  const foreign = foreignKinds.find(([, test]) => names.some(test));
  if (foreign) return foreign[0];
  const missing = sd1Parts.filter(([, prefix]) => !names.some((name) => name.startsWith(prefix))).map(([part]) => part);
  if (missing.length === sd1Parts.length) return "no Stable Diffusion checkpoint at all: none of its tensors has a known name";
  if (missing.length > 0) return `a part of a checkpoint only: it lacks the ${missing.join(" and the ")}`;
  return unsupportedShape(tensors);
}

const sd1Parts: readonly (readonly [string, string])[] = [
  ["UNet", "model.diffusion_model.input_blocks."],
  ["text encoder", "cond_stage_model.transformer."],
  ["VAE", "first_stage_model."],
];

const foreignKinds: readonly (readonly [string, (name: string) => boolean])[] = [
  ["a LoRA, not a checkpoint", (name) => /\.(lora_(down|up|mid|A|B)\b|hada_w|lokr_w|oft_)/.test(name) || name.startsWith("lora_")],
  ["a textual inversion embedding, not a checkpoint", (name) => name === "emb_params" || name.startsWith("string_to_param")],
  ["a ControlNet, not a checkpoint", (name) => name.startsWith("control_model.") || name.startsWith("controlnet_")],
  ["an SDXL checkpoint, and only Stable Diffusion 1 can be trained so far", (name) => name.startsWith("conditioner.embedders.")],
  [
    "a Stable Diffusion 2 checkpoint, and only Stable Diffusion 1 can be trained so far",
    (name) => name.startsWith("cond_stage_model.model."),
  ],
  ["a Stable Diffusion 3 checkpoint, and only Stable Diffusion 1 can be trained so far", (name) => /(^|\.)joint_blocks\./.test(name)],
  ["a Flux checkpoint, and only Stable Diffusion 1 can be trained so far", (name) => /(^|\.)double_blocks\./.test(name)],
  ["a VAE alone, not a checkpoint", (name) => /^(encoder|decoder)\.(conv_in|down|up|mid)/.test(name)],
  ["a UNet alone in the layout of diffusers, not a single-file checkpoint", (name) => /^(down|up)_blocks\.\d/.test(name)],
  ["a text encoder alone, not a checkpoint", (name) => name.startsWith("text_model.")],
];

const LATENT_CHANNELS = 4;

function unsupportedShape(tensors: TensorShapes): string | null {
  const channels = tensors.get("model.diffusion_model.input_blocks.0.0.weight")?.[1];
  if (channels !== undefined && channels !== LATENT_CHANNELS) {
    return `a checkpoint for inpainting or editing (${channels} input channels instead of ${LATENT_CHANNELS}), which can't be trained`;
  }
  const textWidth = widthOf(tensors, /^cond_stage_model\.transformer\..*token_embedding\.weight$/);
  const contextWidth = widthOf(tensors, /^model\.diffusion_model\..*attn2\.to_k\.weight$/);
  if (textWidth !== undefined && contextWidth !== undefined && textWidth !== contextWidth) {
    return `a checkpoint whose text encoder (${textWidth} wide) does not fit its UNet (${contextWidth} wide)`;
  }
  return null;
}

function widthOf(tensors: TensorShapes, pattern: RegExp): number | undefined {
  for (const [name, shape] of tensors) if (pattern.test(name)) return shape?.[1];
  return undefined;
}
