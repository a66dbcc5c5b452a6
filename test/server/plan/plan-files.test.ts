import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makePlan } from "../../../server/plan/make-plan.js";
import { readPlanFile, writePlanFile } from "../../../server/plan/plan-file.js";
import { readSettingsFile } from "../../../server/plan/settings-file.js";
import { temporaryFolder } from "../dataset/sample-pictures.js";

const plan = makePlan({
  dataset: {
    name: "x",
    root: "/x",
    triggerWord: "x",
    subsets: [{ name: ".", repeats: 1, classTokens: "", images: 1 }],
    images: [
      {
        id: "a.png",
        subset: ".",
        width: 512,
        height: 512,
        format: "png",
        bytes: 1,
        transparent: false,
        phash: null,
        caption: "x",
        tags: ["x"],
        problems: [],
      },
    ],
    problems: [],
  },
  baseModel: { name: "b", path: "/b", kind: "sd1", resolution: 512, bytes: 4e9 },
  settings: {},
  now: 1,
});

async function fileOf(content: string): Promise<string> {
  const file = join(await temporaryFolder(), "file");
  await writeFile(file, content);
  return file;
}

const settingsOf = async (toml: string) => readSettingsFile(await fileOf(toml));

describe("a plan file", () => {
  test("is read as it was written", async () => {
    const file = join(await temporaryFolder(), "run", "plan.json");
    await writePlanFile(file, plan);
    expect(await readPlanFile(file)).toEqual(plan);
  });

  test.each<[string, string, string, RegExp]>([
    ["of another version", JSON.stringify({ ...plan, planVersion: 99 }), "plan_version", /version 1.*99/],
    ["that is broken JSON", '{"planVersion": 1,', "bad_plan", /broken/],
    ["that is no plan", "[]", "bad_plan", /planVersion/],
    [
      "without a field",
      JSON.stringify({ ...plan, stepsPerEpoch: undefined }),
      "bad_plan",
      /stepsPerEpoch.*whole number|stepsPerEpoch.*a number/,
    ],
    [
      "with a wrong field",
      JSON.stringify({ ...plan, settings: { ...plan.settings, epochs: "ten" } }),
      "bad_plan",
      /settings\.epochs.*"ten"/,
    ],
  ])("%s is refused with a code and the field", async (_, content, code, message) => {
    await expect(readPlanFile(await fileOf(content))).rejects.toMatchObject({ failure: { code, message: expect.stringMatching(message) } });
  });

  test("that is missing is a bad plan", async () => {
    await expect(readPlanFile("/nowhere/plan.json")).rejects.toMatchObject({ failure: { code: "bad_plan" } });
  });
});

describe("a settings file", () => {
  test("speaks kohya's language, inside sections too, and lists what means nothing here", async () => {
    const found = await settingsOf(`
      pretrained_model_name_or_path = "x.safetensors"
      wandb_mood = "good"
      [network_arguments]
      network_dim = 32
      network_alpha = 16
      unet_lr = 1e-4
      learning_rate = 5e-4
      text_encoder_lr = 5e-5
      [training]
      resolution = "512,768"
      train_batch_size = 2
      max_train_epochs = 8
      lr_scheduler = "constant_with_warmup"
      lr_warmup_steps = 100
      optimizer_type = "AdamW"
      optimizer_args = ["weight_decay=0.1", "betas=0.9,0.99"]
      mixed_precision = "bf16"
      save_precision = "fp16"
      shuffle_caption = true
      keep_tokens = 1
      clip_skip = 2
      max_token_length = 225
      seed = 7
      output_name = "miku"
      [[datasets]]
      bucket_reso_steps = 64
      min_bucket_reso = 256
      max_bucket_reso = 1024
      bucket_no_upscale = false
      [[datasets.subsets]]
      image_dir = "y"
    `);
    expect(found.settings).toEqual({
      networkDim: 32,
      networkAlpha: 16,
      unetLr: 1e-4,
      textEncoderLr: 5e-5,
      resolution: { width: 512, height: 768 },
      batchSize: 2,
      epochs: 8,
      lrScheduler: "constant_with_warmup",
      lrWarmupSteps: 100,
      optimizer: "AdamW",
      optimizerArgs: ["betas=0.9,0.99"],
      weightDecay: 0.1,
      mixedPrecision: "bf16",
      savePrecision: "fp16",
      shuffleCaption: true,
      keepTokens: 1,
      clipSkip: 2,
      maxTokenLength: 225,
      seed: 7,
      outputName: "miku",
      bucketResoSteps: 64,
      minBucketReso: 256,
      maxBucketReso: 1024,
      bucketNoUpscale: false,
    });
    expect(found.unknown).toEqual(["wandb_mood"]);
  });

  test("speaks ours, and says only what it says", async () => {
    expect(
      await settingsOf("targetSteps = 800\nepochs = 4\nresolution = { width = 512, height = 512 }\n[grid]\nweights = [0.5, 1]\n"),
    ).toMatchObject({
      settings: { targetSteps: 800, epochs: 4, resolution: { width: 512, height: 512 }, grid: { weights: [0.5, 1], steps: 20 } },
      unknown: [],
    });
    expect(await settingsOf("")).toEqual({ settings: {}, unknown: [] });
  });

  test.each([
    ["resolution = 512", { width: 512, height: 512 }],
    ["resolution = [512, 640]", { width: 512, height: 640 }],
    ['resolution = "512"', { width: 512, height: 512 }],
    ['resolution = "512, 640"', { width: 512, height: 640 }],
  ])("takes %s", async (toml, resolution) => {
    expect((await settingsOf(toml)).settings).toEqual({ resolution });
  });

  test.each<[string, RegExp]>([
    ['network_dim = "many"', /network_dim.*a number.*"many"/],
    ["max_train_epochs = 0", /max_train_epochs.*at least 1.*0/],
    ['optimizer_type = "Rocket"', /optimizer_type.*AdamW.*"Rocket"/],
    ['lr_scheduler = "stairs"', /lr_scheduler.*constant.*cosine.*"stairs"/],
    ['shuffle_caption = "yes"', /shuffle_caption.*true or false.*"yes"/],
    ['resolution = "big"', /resolution.*"big"/],
    ["[grid]\nsteps = 0", /grid\.steps.*at least 1.*0/],
    ["epochs = = 3", /TOML.*broken.*line 1/],
  ])("with %j is refused in a sentence", async (toml, message) => {
    await expect(settingsOf(toml)).rejects.toMatchObject({ failure: { code: "bad_settings", message: expect.stringMatching(message) } });
  });

  test("that is missing is refused", async () => {
    await expect(readSettingsFile("/nowhere.toml")).rejects.toMatchObject({
      failure: { code: "bad_settings", message: expect.stringContaining("/nowhere.toml") },
    });
  });
});
