import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readBaseModel } from "../../../server/library/base-model.js";
import { listBaseModels } from "../../../server/library/base-models.js";
import { imageSizeOf } from "../../../server/library/model-resolution.js";
import { pickle, safetensors, sd1Tensors, sd2Tensors, type TestTensor, writeZip, xlTensors } from "./write-files.js";

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

  it("of each kind is known by its keys, with what it predicts and the size it is trained at", async () => {
    const xl = await checkpoint("xl", xlTensors);
    expect(await readBaseModel(xl)).toMatchObject({ kind: "sdxl", prediction: "epsilon", resolution: 1024 });
    const xlV = await checkpoint("xl-v", { ...xlTensors, v_pred: { shape: [1] } });
    expect(await readBaseModel(xlV)).toMatchObject({ kind: "sdxl", prediction: "v", resolution: 1024 });
    const sd2 = await checkpoint("sd2", sd2Tensors);
    expect(await readBaseModel(sd2)).toMatchObject({ kind: "sd2", prediction: "epsilon", resolution: 512 });
    await writeFile(join(folder, "sd2.yaml"), 'model:\n  params:\n    parameterization: "v"\n    image_size: 64\n');
    expect(await readBaseModel(sd2)).toMatchObject({ kind: "sd2", prediction: "v", resolution: 768 });
  });

  it("of Stable Diffusion 2 predicts v where a bias of its last attention is spread widely", async () => {
    const bias = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias";
    for (const dtype of ["F32", "F16", "BF16"] as const) {
      const narrow = await checkpoint(`narrow-${dtype}`, {
        ...sd2Tensors,
        [bias]: { shape: [4], dtype, values: [0.05, -0.05, 0.05, -0.05] },
      });
      expect(await readBaseModel(narrow)).toMatchObject({ prediction: "epsilon", resolution: 512 });
      const wide = await checkpoint(`wide-${dtype}`, { ...sd2Tensors, [bias]: { shape: [4], dtype, values: [0.25, -0.25, 0.25, -0.25] } });
      expect(await readBaseModel(wide)).toMatchObject({ prediction: "v", resolution: 768 });
    }
  });

  const { "first_stage_model.decoder.conv_in.weight": _vae, ...withoutVae } = sd1Tensors;
  const others: [string, Record<string, TestTensor>, RegExp][] = [
    ["SDXL refiner", { ...sd1Tensors, "conditioner.embedders.0.model.x": { shape: [1] } }, /refiner/],
    ["Playground", { ...xlTensors, edm_mean: { shape: [1] } }, /Playground/],
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

describe("a base model in diffusers' layout", () => {
  async function layered(name: string, unet: object, prediction: string): Promise<string> {
    const path = join(folder, "layered", name);
    for (const part of ["unet", "vae", "text_encoder", "scheduler"]) {
      await mkdir(join(path, part), { recursive: true });
      await writeFile(join(path, part, "model.safetensors"), "12345");
    }
    await writeFile(join(path, "model_index.json"), "{}");
    await writeFile(join(path, "unet", "config.json"), JSON.stringify(unet));
    await writeFile(join(path, "scheduler", "scheduler_config.json"), JSON.stringify({ prediction_type: prediction }));
    return path;
  }

  it("is known by its JSON files and listed beside the single files", async () => {
    const sd1 = await layered("one", { in_channels: 4, sample_size: 64 }, "epsilon");
    expect(await readBaseModel(sd1)).toMatchObject({ name: "one", kind: "sd1", prediction: "epsilon", resolution: 512, bytes: 15 });
    const sd2 = await layered("two", { sample_size: 96, use_linear_projection: true }, "v_prediction");
    expect(await readBaseModel(sd2)).toMatchObject({ kind: "sd2", prediction: "v", resolution: 768 });
    const xl = await layered("xl", { use_linear_projection: true, addition_embed_type: "text_time" }, "epsilon");
    expect(await readBaseModel(xl)).toMatchObject({ kind: "sdxl", resolution: 1024 });
    const listed = await listBaseModels(join(folder, "no-home"), [join(folder, "layered")]);
    expect(listed.map(({ name }) => name)).toEqual(["pocket", "one", "two", "xl"]);
  });

  it("that is broken, incomplete or for inpainting is refused with its own code", async () => {
    const inpaint = await layered("inpaint", { in_channels: 9 }, "epsilon");
    await expect(readBaseModel(inpaint)).rejects.toMatchObject({ failure: { code: "base_model_unsupported" } });
    const broken = await layered("broken", {}, "epsilon");
    await writeFile(join(broken, "unet", "config.json"), "{");
    await expect(readBaseModel(broken)).rejects.toMatchObject({ failure: { code: "base_model_corrupt" } });
    const empty = await layered("empty", {}, "epsilon");
    await rm(join(empty, "vae"), { recursive: true });
    await expect(readBaseModel(empty)).rejects.toMatchObject({ failure: { code: "base_model_missing" } });
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
