import { createHash } from "node:crypto";
import { mkdir, mkdtemp, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { inspectLora } from "../../../server/library/inspect.js";
import { listLoras } from "../../../server/library/loras.js";
import { learningRateAtAlpha, readRecipe } from "../../../server/library/recipe.js";
import { safetensors, type TestTensor } from "./write-files.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "library-"));
});

const unet = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q";
const text = "lora_te_text_model_encoder_layers_0_self_attn_q_proj";
const metadata: Record<string, string> = {
  ss_output_name: "lantern-000003",
  ss_sd_model_name: "anime.safetensors",
  ss_base_model_version: "sd_v1",
  ss_network_dim: "64",
  ss_network_alpha: "1.0",
  ss_epoch: "3",
  ss_num_epochs: "10",
  ss_steps: "756",
  ss_max_train_steps: "2520",
  ss_unet_lr: "0.002",
  ss_text_encoder_lr: "0.001",
  ss_learning_rate: "None",
  ss_optimizer: "torch.optim.adamw.AdamW(weight_decay=0.01,eps=1e-08)",
  ss_lr_scheduler: "cosine",
  ss_resolution: "(512, 512)",
  ss_clip_skip: "2",
  ss_dataset_dirs: '{"7_lantern":{"n_repeats":7,"img_count":36}}',
  ss_tag_frequency: '{"7_lantern":{"lantern keeper":36,"1girl":36,"hat":20}}',
};

async function lora(name: string, tensors: Record<string, TestTensor>, facts: Record<string, string> = metadata): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, safetensors(tensors, facts));
  return path;
}

const tensors = (dtype: "F32" | "F16" | "BF16"): Record<string, TestTensor> => ({
  [`${unet}.lora_down.weight`]: { shape: [2, 3], values: [1, 0, 2, 0, -1, 0.5], dtype },
  [`${unet}.lora_up.weight`]: { shape: [2, 2], values: [1, 2, -0.5, 1], dtype },
  [`${unet}.alpha`]: { shape: [], values: [1], dtype },
  [`${text}.lora_down.weight`]: { shape: [1, 2], values: [3, 4], dtype },
  [`${text}.lora_up.weight`]: { shape: [2, 1], values: [0.5, 0], dtype },
});

describe("the inspection of a LoRA", () => {
  it("tells its recipe in plain words", async () => {
    const found = await inspectLora(await lora("plain.safetensors", tensors("F16")));
    expect(found.modules).toEqual({ unet: 1, textEncoder: 1, other: 0 });
    expect(found.recipe).toMatchObject({
      networkDim: 64,
      networkAlpha: 1,
      epoch: 3,
      step: 756,
      unetLr: 0.002,
      clipSkip: 2,
      resolution: "512×512",
    });
    expect(found.recipe.triggerCandidates).toEqual(["lantern keeper"]);
    const words = found.words.join(" ");
    expect(words).toContain("Epoch 3 of 10, step 756 of 2520.");
    expect(words).toContain(
      "Learning rate of the UNet 2e-3, of the text encoder 1e-3 (AdamW, cosine). At alpha 64 the same step would be 2.5e-4 and 1.25e-4.",
    );
    expect(words).toContain("Trained on anime.safetensors (sd_v1) at 512×512, clip skip 2.");
    expect(words).toContain('perhaps the trigger word: "lantern keeper"');
  });

  // up·down = [[1, -2, 3], [-0.5, -1, -0.5]], times alpha/dim = 1/2.
  const unetNorm = Math.sqrt(1 + 4 + 9 + 0.25 + 1 + 0.25) / 2;
  it.each(["F32", "F16", "BF16"] as const)("measures the norm of the change in %s", async (dtype) => {
    const { norms } = await inspectLora(await lora(`norm-${dtype}.safetensors`, tensors(dtype)));
    expect(norms?.modules[unet]).toBeCloseTo(unetNorm, 6);
    expect(norms?.textEncoder).toBeCloseTo(2.5, 6);
    expect(norms?.total).toBeCloseTo(Math.hypot(unetNorm, 2.5), 6);
  });

  it("reads lora_A and lora_B pairs and convolutions, and says so when the weights are NaN", async () => {
    const pair = {
      "unet.a.lora_A.weight": { shape: [1, 1, 3, 3], values: new Array(9).fill(1) },
      "unet.a.lora_B.weight": { shape: [2, 1, 1, 1], values: [1, 1] },
    };
    expect((await inspectLora(await lora("pair.safetensors", pair, {}))).norms?.total).toBeCloseTo(Math.sqrt(18), 6);
    const nan = { ...pair, "unet.a.lora_B.weight": { shape: [2, 1, 1, 1], values: [1, Number.NaN] } };
    expect((await inspectLora(await lora("nan.safetensors", nan, {}))).words.join(" ")).toContain("NaN");
  });

  it("computes the hash over the tensors alone and compares it with the recorded one", async () => {
    const content = tensors("F32");
    const block = safetensors(content).subarray(8 + Number(safetensors(content).readBigUInt64LE()));
    const model = createHash("sha256").update(block).digest("hex");
    const same = await inspectLora(await lora("same.safetensors", content, { ...metadata, sshs_model_hash: model }));
    expect(same.hashes).toMatchObject({ model, matches: true });
    const other = await inspectLora(await lora("other.safetensors", content, { sshs_model_hash: "0".repeat(64) }));
    expect(other.hashes.matches).toBe(false);
    expect(other.words.join(" ")).toContain("changed afterwards");
    expect((await inspectLora(await lora("none.safetensors", content, {}))).hashes.matches).toBeNull();
  });

  it("refuses a file without LoRA tensors and a truncated one", async () => {
    await expect(inspectLora(await lora("vae.safetensors", { "decoder.x": { shape: [1] } }))).rejects.toMatchObject({
      failure: { code: "lora_corrupt" },
    });
    const cut = join(folder, "cut.safetensors");
    await writeFile(cut, safetensors(tensors("F32")).subarray(0, -3));
    await expect(inspectLora(cut)).rejects.toMatchObject({ failure: { code: "lora_corrupt" } });
  });
});

describe("a recipe", () => {
  it("leaves null what is missing or makes no sense", () => {
    const recipe = readRecipe({ ss_epoch: "None", ss_network_dim: "Dynamic", ss_tag_frequency: "{broken", ss_dataset_dirs: "[]" });
    expect(recipe).toMatchObject({ epoch: null, networkDim: null, tags: [], subsets: [], triggerCandidates: [], unetLr: null });
  });
  it("translates a learning rate to another alpha by its square root", () => {
    expect(learningRateAtAlpha(2e-3, 1, 64)).toBeCloseTo(2.5e-4, 12);
    expect(learningRateAtAlpha(2e-3, 1, 128)).toBeCloseTo(1.77e-4, 6);
  });
});

describe("the list of LoRAs", () => {
  it("is newest first, with paths below the folder, epochs from the files and jobs from who knows them", async () => {
    const home = await mkdtemp(join(tmpdir(), "loras-"));
    await mkdir(join(home, "mine"));
    await writeFile(join(home, "mine", "a-000001.safetensors"), safetensors(tensors("F32"), { ss_epoch: "1" }));
    await writeFile(join(home, "broken.safetensors"), "no");
    await writeFile(join(home, "a.json"), "{}");
    await utimes(join(home, "broken.safetensors"), 1, 1);
    const found = await listLoras(home, (name) => (name.startsWith("a-") ? "job-1" : null));
    expect(found.map(({ file, name, epoch, job }) => [file, name, epoch, job])).toEqual([
      ["mine/a-000001.safetensors", "a-000001", 1, "job-1"],
      ["broken.safetensors", "broken", null, null],
    ]);
    expect(await listLoras(join(home, "nowhere"))).toEqual([]);
  });
});
