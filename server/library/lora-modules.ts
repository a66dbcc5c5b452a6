import type { SafetensorsHeader, TensorInfo } from "./safetensors.js";

/** One trained module of a plain LoRA: ΔW = alpha / dim · up · down. Without alpha the scale is 1. */
export type LoraModuleInfo = {
  name: string;
  part: "unet" | "textEncoder" | "other";
  down: TensorInfo;
  up: TensorInfo;
  alpha: TensorInfo | null;
  dim: number;
};

/** The modules of a LoRA file in kohya's names, or with `lora_A`/`lora_B` pairs; other kinds of networks give none. */
export function loraModules(header: SafetensorsHeader): LoraModuleInfo[] {
  const modules: LoraModuleInfo[] = [];
  for (const [key, down] of header.tensors) {
    const match = /^(.+)\.(lora_down|lora_A)\.weight$/.exec(key);
    const name = match?.[1];
    const dim = down.shape[0];
    // A module with a middle tensor (LyCORIS' Tucker form) is no plain product of two.
    if (name === undefined || dim === undefined || dim === 0 || header.tensors.has(`${name}.lora_mid.weight`)) continue;
    const up = header.tensors.get(`${name}.${match?.[2] === "lora_A" ? "lora_B" : "lora_up"}.weight`);
    if (up?.shape[1] !== dim) continue;
    modules.push({ name, part: partOf(name), down, up, alpha: header.tensors.get(`${name}.alpha`) ?? null, dim });
  }
  return modules;
}

/** The kind of network by its tensors' names, as users know it. */
export function networkKind(header: SafetensorsHeader): string {
  const names = [...header.tensors.keys()];
  const kind = kinds.find(([, pattern]) => names.some((name) => pattern.test(name)));
  return kind?.[0] ?? "unknown";
}

const kinds: readonly (readonly [string, RegExp])[] = [
  ["DoRA", /\.dora_scale$/],
  ["LoHa", /\.hada_w/],
  ["LoKr", /\.lokr_w/],
  ["OFT", /\.oft_/],
  ["LoCon", /_(conv1|conv2|in_layers_2|out_layers_3|conv_shortcut)\.lora_(down|A)\.weight$/],
  ["LoRA", /\.lora_(down|A)\.weight$/],
];

function partOf(name: string): LoraModuleInfo["part"] {
  if (/^lora_unet_|(^|\.)(unet|diffusion_model)\./.test(name)) return "unet";
  return /^lora_te\d?_|(^|\.)text_encoder/.test(name) ? "textEncoder" : "other";
}
