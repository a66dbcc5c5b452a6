import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { trainerFolder } from "../venv.js";

/** The folders in which sd-scripts looks for the tokenizers of Stable Diffusion 1, 2 and XL before it would load them; `pad` as each has it. */
const TOKENIZERS: readonly { readonly name: string; readonly pad: string }[] = [
  { name: "openai_clip-vit-large-patch14", pad: "<|endoftext|>" },
  { name: "stabilityai_stable-diffusion-2", pad: "!" },
  { name: "laion_CLIP-ViT-bigG-14-laion2B-39B-b160k", pad: "!" },
];

/** CLIP's vocabulary in a folder for sd-scripts' tokenizer_cache_dir, so that nothing has to be loaded. Returns the folder. */
export async function layTokenizers(folder: string): Promise<string> {
  const source = join(trainerFolder(), "pocket", "model", "clip");
  for (const { name, pad } of TOKENIZERS) {
    const target = join(folder, name);
    await mkdir(target, { recursive: true });
    for (const file of ["vocab.json", "merges.txt"]) await copyFile(join(source, file), join(target, file));
    await writeFile(join(target, "tokenizer_config.json"), JSON.stringify(configOf(pad)));
  }
  return folder;
}

function configOf(pad: string): Record<string, unknown> {
  return {
    tokenizer_class: "CLIPTokenizer",
    do_lower_case: true,
    model_max_length: 77,
    bos_token: "<|startoftext|>",
    eos_token: "<|endoftext|>",
    unk_token: "<|endoftext|>",
    pad_token: pad,
  };
}
