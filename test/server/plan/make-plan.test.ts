import { describe, expect, test } from "vitest";
import type { Dataset, DatasetImage } from "../../../protocol/dataset.js";
import { type BaseModel, Plan } from "../../../protocol/plan.js";
import { makePlan, type PlanInput } from "../../../server/plan/make-plan.js";

const sd15: BaseModel = {
  name: "v1-5-pruned-emaonly",
  path: "/models/v1-5.safetensors",
  kind: "sd1",
  resolution: 512,
  bytes: 4_265_146_304,
};
const pocket: BaseModel = { name: "pocket", path: "/models/pocket.safetensors", kind: "sd1", resolution: 128, bytes: 36_000_000 };

function image(index: number, own: Partial<DatasetImage> = {}): DatasetImage {
  // Hashes far apart from each other: sixteen equal digits, then the index.
  const phash = `${(index % 16).toString(16).repeat(12)}${index.toString(16).padStart(4, "0")}`;
  const tags = ["lantern keeper", "1girl", "solo", index % 2 === 0 ? "smile" : "hat", index % 3 === 0 ? "outdoors" : "indoors"];
  return {
    id: `10_x/${String(index).padStart(3, "0")}.png`,
    subset: "10_x",
    width: 800,
    height: 600,
    format: "png",
    bytes: 1,
    transparent: false,
    phash,
    caption: tags.join(", "),
    tags,
    problems: [],
    ...own,
  };
}

function dataset(count: number, own: Partial<Dataset> = {}): Dataset {
  const images = Array.from({ length: count }, (_, index) => image(index));
  return {
    name: "keeper",
    root: "/sets/keeper",
    triggerWord: "lantern keeper",
    subsets: [{ name: "10_x", repeats: 10, classTokens: "x", images: count }],
    images,
    problems: [],
    ...own,
  };
}

const planOf = (input: Partial<PlanInput> = {}) => makePlan({ dataset: dataset(36), baseModel: sd15, settings: {}, now: 5, ...input });
const codes = (plan: Plan) => plan.warnings.map(({ code }) => code);

describe("a plan", () => {
  test("answers every question from the guide's recipe, the base model and the data set", () => {
    const plan = planOf();
    expect(Plan.parse(plan)).toEqual(plan);
    expect(plan.settings).toMatchObject({
      outputName: "keeper",
      resolution: { width: 512, height: 512 },
      minBucketReso: 256,
      maxBucketReso: 1024,
      bucketResoSteps: 64,
      mixedPrecision: "no",
      keepTokens: 1,
      maxTokenLength: 75,
      heldOutImages: 3,
    });
    expect(plan.images.filter(({ heldOut }) => heldOut).length).toBe(3);
    expect(plan.images[0]).toMatchObject({ bucket: [576, 448], resized: [597, 448], repeats: 8 });
    expect(plan).toMatchObject({
      samplesPerEpoch: 264,
      stepsPerEpoch: 264,
      totalSteps: 2640,
      exposuresPerImage: 80,
      buckets: [{ size: [576, 448], images: 33, samples: 264, batches: 264 }],
    });
    expect(plan.files.at(0)).toBe("keeper-000001.safetensors");
    expect(plan.files.at(-1)).toBe("keeper.safetensors");
    expect(plan.files.length).toBe(10);
    expect(codes(plan)).toEqual([]);
  });

  test("is the same for the same input, whenever it is made, and another for any other", () => {
    expect(planOf({ now: 9 })).toEqual({ ...planOf(), createdAt: 9 });
    expect(planOf({ settings: { seed: 43 } }).id).not.toBe(planOf().id);
    expect(planOf({ dataset: { ...dataset(36), images: dataset(36).images.reverse() } }).id).toBe(planOf().id);
  });

  test("each kind of base model has the defaults that suit it, and what was chosen stays", () => {
    const xl: BaseModel = { ...sd15, kind: "sdxl", prediction: "epsilon", resolution: 1024, bytes: 6_940_000_000 };
    const plan = planOf({ baseModel: xl });
    expect(plan.settings).toMatchObject({ resolution: { width: 1024, height: 1024 }, clipSkip: 2, textEncoderLr: 0, textEncoder2Lr: 0 });
    expect(plan.baseModel).toMatchObject({ kind: "sdxl", prediction: "epsilon" });
    expect(planOf({ baseModel: xl, settings: { clipSkip: 1, textEncoderLr: 1e-4 } }).settings).toMatchObject({
      clipSkip: 1,
      textEncoderLr: 1e-4,
    });
    expect(planOf().settings).toMatchObject({ clipSkip: 1, textEncoderLr: 1e-3 });
    expect(plan.diskBytes).toBeGreaterThan(planOf({ settings: { textEncoderLr: 0 } }).diskBytes);
  });

  test("has small buckets for a small base model, and precision by device", () => {
    expect(planOf({ baseModel: pocket }).settings).toMatchObject({
      resolution: { width: 128, height: 128 },
      minBucketReso: 64,
      maxBucketReso: 256,
      bucketResoSteps: 32,
    });
    expect(planOf({ device: { kind: "cuda", bf16: true } }).settings.mixedPrecision).toBe("bf16");
    expect(planOf({ device: { kind: "cuda", bf16: false } }).settings.mixedPrecision).toBe("fp16");
    expect(planOf({ device: { kind: "mps", bf16: true } }).settings.mixedPrecision).toBe("no");
    expect(planOf({ device: { kind: "cuda", bf16: true }, settings: { mixedPrecision: "no" } }).settings.mixedPrecision).toBe("no");
  });

  test("counts steps bucket by bucket", () => {
    const images = Array.from({ length: 10 }, (_, index) => image(index, index < 5 ? {} : { width: 600, height: 800 }));
    const plan = planOf({ dataset: dataset(10, { images }), settings: { batchSize: 4, targetSteps: 30, epochs: 10, heldOutImages: 0 } });
    expect(plan.images[0]?.repeats).toBe(2);
    expect(plan.buckets).toEqual([
      { size: [448, 576], images: 5, samples: 10, batches: 3 },
      { size: [576, 448], images: 5, samples: 10, batches: 3 },
    ]);
    expect(plan).toMatchObject({ stepsPerEpoch: 6, totalSteps: 60, samplesPerEpoch: 20 });
    expect(codes(plan)).toEqual(expect.arrayContaining(["few_images", "no_held_out", "steps_off_target", "bucket_fragments"]));
  });

  test("keeps good and weak folders in proportion", () => {
    const images = Array.from({ length: 30 }, (_, index) =>
      image(index, index < 10 ? { id: `5_weak/${index}.png`, subset: "5_weak" } : {}),
    );
    const subsets = [
      { name: "10_x", repeats: 10, classTokens: "x", images: 20 },
      { name: "5_weak", repeats: 5, classTokens: "weak", images: 10 },
    ];
    const plan = planOf({ dataset: dataset(30, { images, subsets }), settings: { heldOutImages: 0 } });
    const repeats = Object.fromEntries(plan.images.map(({ subset, repeats }) => [subset, repeats]));
    expect(repeats).toEqual({ "10_x": 10, "5_weak": 5 });
  });

  test("takes longer captions whole as far as 225 tokens, and says whose last tags are lost", () => {
    const longCaption = (tags: number) =>
      dataset(20, {
        images: dataset(20).images.map((one, index) =>
          index === 3 ? { ...one, caption: `lantern keeper, ${Array.from({ length: tags }, (_, n) => `tag ${n % 10}`).join(", ")}` } : one,
        ),
      });
    expect(planOf({ dataset: longCaption(30) }).settings.maxTokenLength).toBe(150);
    const beyond = planOf({ dataset: longCaption(90) });
    expect(beyond.settings.maxTokenLength).toBe(225);
    expect(beyond.maxCaptionTokens).toBeGreaterThan(225);
    expect(beyond.warnings.find(({ code }) => code === "caption_cut")?.images).toEqual(["10_x/003.png"]);
    expect(codes(planOf({ dataset: longCaption(30), settings: { maxTokenLength: 75 } }))).toEqual(["caption_cut"]);
  });

  test("reads captions as kohya's trainer does: the first line, else trigger word or folder name", () => {
    const captions = ["a, b\nc", null, " "];
    const images = captions.map((caption, index) => image(index, { caption }));
    const plan = (triggerWord: string) => planOf({ dataset: dataset(3, { images, triggerWord }) });
    expect(plan("keeper").images.map(({ caption }) => caption)).toEqual(["a, b", "keeper", "keeper"]);
    expect(plan("").images.map(({ caption }) => caption)).toEqual(["a, b", "x", "x"]);
    expect(plan("").settings.keepTokens).toBe(0);
    expect(plan("").warnings.find(({ code }) => code === "caption_missing")?.images).toEqual(["10_x/001.png", "10_x/002.png"]);
    expect(codes(plan(""))).toContain("trigger_missing");
  });

  test("leaves out what can't be trained on and says so; with nothing left it is refused", () => {
    const images = dataset(20).images.map(
      (one, index): DatasetImage => (index === 4 ? { ...one, width: 0, height: 0, phash: null, problems: ["truncated"] } : one),
    );
    const problems = [{ code: "truncated" as const, severity: "error" as const, message: "x", images: ["10_x/004.png"], fixable: false }];
    const plan = planOf({ dataset: dataset(20, { images, problems }) });
    expect(plan.images.map(({ id }) => id)).not.toContain("10_x/004.png");
    expect(plan.warnings.find(({ code }) => code === "open_problems")?.message).toMatch(/truncated \(1\).*Left out.*004\.png/);
    const none = dataset(1, { images: [image(0, { problems: ["not_an_image"], width: 0, height: 0 })] });
    expect(() => planOf({ dataset: none })).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ code: "dataset_empty" }) }),
    );
  });

  test("warns of lost edges, enlargement, fast learning and unknown settings, each with something to do", () => {
    const images = dataset(20).images.map((one, index) =>
      index === 0 ? { ...one, width: 1500, height: 1000 } : index === 1 ? { ...one, width: 200, height: 150 } : one,
    );
    const plan = planOf({ dataset: dataset(20, { images }), settings: { networkAlpha: 64, unetLr: 2e-3 }, unknownSettings: ["xformers"] });
    expect(plan.warnings.map(({ code, images }) => [code, images])).toEqual([
      ["crop_loss", ["10_x/000.png"]],
      ["upscaled", ["10_x/001.png"]],
      ["high_learning_rate", []],
      ["unknown_settings", []],
    ]);
    expect(plan.warnings.find(({ code }) => code === "high_learning_rate")?.message).toContain("1.6e-2 at alpha 1");
    for (const { message } of plan.warnings) expect(message).toMatch(/^[A-Z0-9].*[;,].*\.$/);
    expect(codes(planOf({ settings: { networkAlpha: 64, unetLr: 2.5e-4 } }))).toEqual([]);
  });

  test("writes prompts: two with the trigger word, one without, and eight generic ones without", () => {
    const { settings, genericPrompts } = planOf();
    expect(settings.grid.prompts.map((prompt) => prompt.startsWith("lantern keeper, "))).toEqual([true, true, false]);
    expect(genericPrompts.length).toBe(8);
    expect(new Set(genericPrompts).size).toBe(8);
    expect([...genericPrompts, settings.grid.prompts[2]].some((prompt) => prompt?.includes("lantern"))).toBe(false);
    expect(planOf({ settings: { grid: { ...settings.grid, prompts: ["mine"] } } }).settings.grid.prompts).toEqual(["mine"]);
  });

  test("never uses a trigger word that is an everyday word in its generic prompts", () => {
    const plan = planOf({ dataset: dataset(20, { triggerWord: "star" }) });
    expect(plan.genericPrompts.some((prompt) => /\bstar\b/.test(prompt))).toBe(false);
  });

  test("estimates the disk from the LoRA's size", () => {
    const lora = 264 * 512 + 65_536 + 64 * (423_936 + 165_888) * 2;
    const { diskBytes } = planOf({
      settings: {
        epochs: 10,
        grid: { enabled: false, weights: [1], prompts: ["x"], negativePrompt: "", seeds: [1], sampler: "ddim", steps: 20, cfgScale: 7 },
      },
    });
    expect(diskBytes).toBe(10 * lora + 36 * 64 * (423_936 + 165_888));
    expect(planOf({ baseModel: pocket }).diskBytes).toBeLessThan(diskBytes / 2);
  });

  test.each([
    [{ epochs: 0 }, /epochs.*at least 1.*got 0/],
    [{ epochs: 1.5 }, /epochs.*whole number.*got 1.5/],
    [{ minBucketReso: 1024 }, /min_bucket_reso/],
    [{ outputName: "a/b" }, /outputName.*file name.*"a\/b"/],
    [{ outputName: "a,b" }, /outputName.*file name.*"a,b"/],
    [{ outputName: "a=1" }, /outputName.*file name.*"a=1"/],
    [{ outputName: ".hidden" }, /outputName.*dot in front.*".hidden"/],
    [{ heldOutImages: 36 }, /heldOutImages.*36/],
    [{ maxTokenLength: 80 }, /maxTokenLength.*75 or 150 or 225.*80/],
  ])("refuses %j as bad settings that name key, expectation and value", (settings, message) => {
    // Values that the types forbid are what this is about.
    const run = () => planOf({ settings: settings as PlanInput["settings"] });
    expect(run).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ code: "bad_settings", message: expect.stringMatching(message) }) }),
    );
  });
});
