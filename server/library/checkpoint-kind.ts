/** Shapes by tensor name; a shape is null where only the names are known, as in a .ckpt. */
export type TensorShapes = ReadonlyMap<string, readonly number[] | null>;

export type CheckpointKind = "sd1" | "sd2" | "sdxl";

/** Stable Diffusion 2 and XL have linear projections around their attention, Stable Diffusion 1 has 1×1 convolutions. */
export function checkpointKind(tensors: TensorShapes): CheckpointKind {
  const names = [...tensors.keys()];
  if (names.some((name) => name.startsWith("conditioner.embedders."))) return "sdxl";
  if (names.some((name) => name.startsWith("cond_stage_model.model."))) return "sd2";
  return tensors.get("model.diffusion_model.middle_block.1.proj_in.weight")?.length === 2 ? "sd2" : "sd1";
}

/** Width of the UNet's first level; 320 in every model of an ordinary size, null where the shapes are not known. */
export function modelChannels(tensors: TensorShapes): number | null {
  return tensors.get("model.diffusion_model.input_blocks.0.0.weight")?.[0] ?? null;
}

/**
 * What a file that is no trainable checkpoint of Stable Diffusion 1, 2 or XL is instead, as the rest of a sentence after "it is";
 * null for a checkpoint that can be trained. Keys as in CompVis' and Stability's layouts.
 */
export function unsupportedKind(tensors: TensorShapes): string | null {
  const names = [...tensors.keys()];
  const foreign = foreignKinds.find(([, test]) => names.some(test));
  if (foreign) return foreign[0];
  const missing = parts
    .filter(([, prefixes]) => !names.some((name) => prefixes.some((prefix) => name.startsWith(prefix))))
    .map(([part]) => part);
  if (missing.length === parts.length) return "no Stable Diffusion checkpoint at all: none of its tensors has a known name";
  if (missing.length > 0) return `a part of a checkpoint only: it lacks the ${missing.join(" and the ")}`;
  return unsupportedShape(tensors);
}

const parts: readonly (readonly [string, readonly string[]])[] = [
  ["UNet", ["model.diffusion_model.input_blocks."]],
  ["text encoder", ["cond_stage_model.transformer.", "cond_stage_model.model.", "conditioner.embedders.1."]],
  ["VAE", ["first_stage_model."]],
];

const foreignKinds: readonly (readonly [string, (name: string) => boolean])[] = [
  ["a LoRA, not a checkpoint", (name) => /\.(lora_(down|up|mid|A|B)\b|hada_w|lokr_w|oft_)/.test(name) || name.startsWith("lora_")],
  ["a textual inversion embedding, not a checkpoint", (name) => name === "emb_params" || name.startsWith("string_to_param")],
  ["a ControlNet, not a checkpoint", (name) => name.startsWith("control_model.") || name.startsWith("controlnet_")],
  ["SDXL's refiner, which no LoRA is made for", (name) => name.startsWith("conditioner.embedders.0.model.")],
  ["a Playground 2.5 checkpoint, whose noise is of another kind", (name) => name.startsWith("edm_mean")],
  ["a CosXL checkpoint, whose noise is of another kind", (name) => name.startsWith("edm_vpred.")],
  ["a Stable Diffusion 3 checkpoint, which can't be trained", (name) => /(^|\.)joint_blocks\./.test(name)],
  ["a Flux checkpoint, which can't be trained", (name) => /(^|\.)double_blocks\./.test(name)],
  ["a VAE alone, not a checkpoint", (name) => /^(encoder|decoder)\.(conv_in|down|up|mid)/.test(name)],
  ["a UNet alone in the layout of diffusers, not a whole model", (name) => /^(down|up)_blocks\.\d/.test(name)],
  ["a text encoder alone, not a checkpoint", (name) => name.startsWith("text_model.")],
];

const LATENT_CHANNELS = 4;

function unsupportedShape(tensors: TensorShapes): string | null {
  const channels = tensors.get("model.diffusion_model.input_blocks.0.0.weight")?.[1];
  if (channels !== undefined && channels !== LATENT_CHANNELS) {
    return `a checkpoint for inpainting or editing (${channels} input channels instead of ${LATENT_CHANNELS}), which can't be trained`;
  }
  if (checkpointKind(tensors) === "sdxl") return null;
  const textWidth = widthOf(tensors, /^cond_stage_model\.(transformer|model)\..*token_embedding\.weight$/);
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
