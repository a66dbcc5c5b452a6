import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readBaseModel } from "../../../server/library/base-model.js";
import { listBaseModels } from "../../../server/library/base-models.js";
import { imageSizeOf } from "../../../server/library/model-resolution.js";
import { pickle, safetensors, sd1Tensors, type TestTensor, writeZip } from "./write-files.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "library-"));
});

async function checkpoint(name: string, tensors: Record<string, TestTensor>): Promise<string> {
  const path = join(folder, `${name}.safetensors`);
  await writeFile(path, safetensors(tensors));
  return path;
}

describe("a .safetensors base model", () => {
  it("is known by its keys and is trained at 512 pixels unless its sidecar says otherwise", async () => {
    const path = await checkpoint("anime", sd1Tensors);
    expect(await readBaseModel(path)).toMatchObject({ name: "anime", path, kind: "sd1", resolution: 512 });
    await writeFile(join(folder, "anime.yaml"), "model:\n  params:\n    image_size: 16 # latents\n");
    expect(await readBaseModel(path)).toMatchObject({ resolution: 128 });
  });

  const { "first_stage_model.decoder.conv_in.weight": _vae, ...withoutVae } = sd1Tensors;
  const others: [string, Record<string, TestTensor>, RegExp][] = [
    ["SDXL", { ...sd1Tensors, "conditioner.embedders.0.transformer.x": { shape: [1] } }, /SDXL/],
    ["SD2", { ...withoutVae, "cond_stage_model.model.transformer.x": { shape: [1] } }, /Stable Diffusion 2/],
    ["SD3", { "model.diffusion_model.joint_blocks.0.x": { shape: [1] } }, /Stable Diffusion 3/],
    ["Flux", { "double_blocks.0.x": { shape: [1] } }, /Flux/],
    ["LoRA", { "lora_unet_mid.lora_down.weight": { shape: [1, 1] } }, /a LoRA/],
    ["PEFT LoRA", { "unet.x.lora_A.weight": { shape: [1, 1] } }, /a LoRA/],
    ["VAE", { "decoder.conv_in.weight": { shape: [1] }, "encoder.conv_in.weight": { shape: [1] } }, /a VAE alone/],
    ["embedding", { emb_params: { shape: [1, 8] } }, /textual inversion/],
    ["ControlNet", { "control_model.input_blocks.0.0.weight": { shape: [1] } }, /ControlNet/],
    ["diffusers UNet", { "down_blocks.0.attentions.0.x": { shape: [1] } }, /UNet alone/],
    ["half a checkpoint", withoutVae, /lacks the VAE/],
    ["inpainting model", { ...sd1Tensors, "model.diffusion_model.input_blocks.0.0.weight": { shape: [4, 9, 3, 3] } }, /inpainting/],
    [
      "unfitting text encoder",
      { ...sd1Tensors, "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": { shape: [10, 6] } },
      /does not fit/,
    ],
    ["something else", { weights: { shape: [1] } }, /no Stable Diffusion checkpoint at all/],
  ];
  it.each(others)("that is a %s is refused by its right name", async (name, tensors, sentence) => {
    const path = await checkpoint(name.replaceAll(" ", "-"), tensors);
    await expect(readBaseModel(path)).rejects.toMatchObject({
      failure: { code: "base_model_unsupported", message: expect.stringMatching(sentence) },
    });
  });

  it("that is missing, empty, a folder or of another format is refused with its own code", async () => {
    await writeFile(join(folder, "empty.safetensors"), "");
    await writeFile(join(folder, "model.bin"), "x");
    await expect(readBaseModel(join(folder, "gone.safetensors"))).rejects.toMatchObject({ failure: { code: "base_model_missing" } });
    await expect(readBaseModel(join(folder, "empty.safetensors"))).rejects.toMatchObject({ failure: { code: "base_model_corrupt" } });
    await expect(readBaseModel(folder)).rejects.toMatchObject({ failure: { code: "base_model_unsupported" } });
    await expect(readBaseModel(join(folder, "model.bin"))).rejects.toMatchObject({ failure: { code: "base_model_unsupported" } });
  });
});

describe("a .ckpt base model", () => {
  const { begin, global, text, reduce, stop } = pickle;
  const names = Object.keys(sd1Tensors).map(text);
  const weights = Buffer.concat([
    begin,
    global("collections", "OrderedDict"),
    ...names,
    global("torch._utils", "_rebuild_tensor_v2"),
    global("torch", "HalfStorage"),
    reduce,
    stop,
  ]);
  const evil = Buffer.concat([begin, ...names, global("os", "system"), text("echo hello"), reduce, stop]);

  it("is accepted as a zip and as the old row of pickles when it imports only what tensors need", async () => {
    const zipped = join(folder, "zipped.ckpt");
    await writeZip(zipped, { "archive/data.pkl": weights, "archive/data/0": Buffer.alloc(8) });
    const old = join(folder, "old.ckpt");
    const none = Buffer.concat([begin, stop]);
    await writeFile(old, Buffer.concat([none, none, none, weights, none, Buffer.from("not a pickle, but weights")]));
    expect(await readBaseModel(zipped)).toMatchObject({ name: "zipped", kind: "sd1", resolution: 512 });
    expect(await readBaseModel(old)).toMatchObject({ name: "old" });
  });

  it("that holds code is refused with the name of what it would import, in either format", async () => {
    const zipped = join(folder, "evil-zip.ckpt");
    await writeZip(zipped, { "archive/data.pkl": evil });
    const old = join(folder, "evil-old.ckpt");
    await writeFile(old, Buffer.concat([begin, text("magic"), stop, evil]));
    for (const path of [zipped, old]) {
      await expect(readBaseModel(path)).rejects.toMatchObject({
        failure: { code: "base_model_unsafe", message: expect.stringContaining("os.system") },
      });
    }
  });

  it("that is neither zip nor pickle, cut off, or a zip without a pickle is corrupt", async () => {
    const files: [string, Buffer][] = [
      ["text.ckpt", Buffer.from("hello there")],
      ["cut.ckpt", weights.subarray(0, 30)],
      ["cut-zip.ckpt", Buffer.from("PK\u0003\u0004 and no more")],
    ];
    for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
    await writeZip(join(folder, "no-pickle.ckpt"), { "readme.txt": Buffer.from("hello") });
    for (const name of [...files.map(([name]) => name), "no-pickle.ckpt"]) {
      await expect(readBaseModel(join(folder, name))).rejects.toMatchObject({ failure: { code: "base_model_corrupt" } });
    }
  });

  it("that is an SDXL checkpoint by the names in its pickle is refused", async () => {
    const path = join(folder, "xl.ckpt");
    await writeZip(path, { "x/data.pkl": Buffer.concat([begin, text("conditioner.embedders.0.x"), stop]) });
    await expect(readBaseModel(path)).rejects.toMatchObject({ failure: { code: "base_model_unsupported" } });
  });
});

describe("image_size of a sidecar", () => {
  it("is the model's own, not the deeper and unused one of the UNet", () => {
    expect(imageSizeOf("model:\n  params:\n    unet_config:\n      params:\n        image_size: 32 # unused\n    image_size: 64\n")).toBe(
      64,
    );
    expect(imageSizeOf('a:\r\n  "image_size" : 16\r\n')).toBe(16);
  });
  it("is unknown when it is commented out, no number or zero", () => {
    for (const text of ["", "# image_size: 16", "image_size: big", "image_size: 0", "my_image_size: 16"])
      expect(imageSizeOf(text)).toBeNull();
  });
});

describe("the list of base models", () => {
  it("holds what can be trained below the home's checkpoint folder and leaves the rest out", async () => {
    const home = await mkdtemp(join(tmpdir(), "home-"));
    const models = join(home, "models", "Stable-diffusion", "mine");
    await mkdir(models, { recursive: true });
    await writeFile(join(models, "b.safetensors"), safetensors(sd1Tensors));
    await writeFile(join(models, "a.safetensors"), safetensors(sd1Tensors));
    await writeFile(join(models, "vae.safetensors"), safetensors({ "decoder.conv_in.weight": { shape: [1] } }));
    await writeFile(join(models, "broken.safetensors"), "no");
    const found = await listBaseModels(home);
    expect(found.filter((model) => model.path.startsWith(home)).map((model) => model.name)).toEqual(["a", "b"]);
    expect(found.slice(-2).map((model) => model.name)).toEqual(["a", "b"]);
  });
});
