import { describe, expect, test } from "vitest";
import type { Dataset, DatasetImage } from "../../../protocol/dataset.js";
import type { BaseModel } from "../../../protocol/plan.js";
import type { Settings } from "../../../protocol/settings.js";
import { makePlan } from "../../../server/plan/make-plan.js";
import { regRepeats } from "../../../server/plan/reg-repeats.js";

const baseModel: BaseModel = { name: "m", path: "/m.safetensors", kind: "sd1", resolution: 512, bytes: 2e9 };

function image(subset: string, index: number, own: Partial<DatasetImage> = {}): DatasetImage {
  return {
    id: `${subset}/${index}.png`,
    subset,
    width: 512,
    height: 512,
    format: "png",
    bytes: 1,
    transparent: false,
    phash: `${(index % 16).toString(16).repeat(12)}${index.toString(16).padStart(4, "0")}`,
    caption: subset.startsWith("reg") ? "1girl" : "zorp, 1girl",
    tags: [],
    problems: [],
    ...own,
  };
}

function planOf(settings: Partial<Settings>, { own = 10, reg = 0 } = {}) {
  const images = [...Array(own).keys()].map((index) => image("2_zorp", index));
  const regs = [...Array(reg).keys()].map((index) => image("reg/1_girl", index));
  const dataset: Dataset = {
    name: "zorp",
    root: "/sets/zorp",
    triggerWord: "zorp",
    subsets: [
      { name: "2_zorp", repeats: 2, classTokens: "zorp", images: own },
      ...(reg > 0 ? [{ name: "reg/1_girl", repeats: 1, classTokens: "girl", images: reg }] : []),
    ],
    images: [...images, ...regs],
    problems: [],
  };
  return makePlan({ dataset, baseModel, settings: { epochs: 5, targetSteps: 500, heldOutImages: 0, ...settings }, now: 1 });
}

const codes = (plan: ReturnType<typeof planOf>) => plan.warnings.map(({ code }) => code);

describe("a step of several batches", () => {
  test("is counted once, so that the run still has the steps that were asked for", () => {
    const plan = planOf({ batchSize: 2, gradientAccumulationSteps: 4 });
    expect(plan.totalSteps).toBe(500);
    expect(plan.samplesPerEpoch).toBe(800);
    expect(codes(plan)).not.toContain("bucket_fragments");
  });

  test("rounds up where the batches of an epoch don't fill it", () => {
    expect(planOf({ targetSteps: 5, epochs: 1, gradientAccumulationSteps: 3 }).stepsPerEpoch).toBe(7);
  });
});

describe("regularisation pictures", () => {
  test("are seen as often as all others together, in as many steps as without them", () => {
    const plan = planOf({}, { reg: 4 });
    const samples = (isReg: boolean) =>
      plan.images.filter((image) => (image.isReg ?? false) === isReg).reduce((sum, { repeats }) => sum + repeats, 0);
    expect([samples(false), samples(true), plan.totalSteps]).toEqual([50, 50, 500]);
    expect(plan.images.filter(({ isReg }) => isReg).map(({ repeats }) => repeats)).toEqual([13, 13, 12, 12]);
    expect(plan.exposuresPerImage).toBe(25);
  });

  test("need no trigger word, are never held out, and more than an epoch can take are left out", () => {
    const plan = planOf({ heldOutImages: 2, targetSteps: 5 }, { reg: 40 });
    expect(plan.images.filter(({ isReg }) => isReg).length).toBe(8);
    expect(plan.images.filter(({ heldOut }) => heldOut).every(({ isReg }) => isReg !== true)).toBe(true);
    expect(plan.warnings.find(({ code }) => code === "trigger_missing")).toBeUndefined();
  });

  test("are shared out round by round", () => {
    const pictures = [
      { id: "a", repeats: 3 },
      { id: "b", repeats: 1 },
      { id: "c", repeats: 1 },
    ];
    expect([...regRepeats(pictures, 7)]).toEqual([
      ["a", 4],
      ["b", 2],
      ["c", 1],
    ]);
    expect([...regRepeats(pictures, 2)]).toEqual([["a", 3]]);
    expect([...regRepeats([], 2)]).toEqual([]);
  });
});

describe("an optimizer", () => {
  test("that finds the rate itself is not told a small one without a word", () => {
    expect(codes(planOf({ optimizer: "Prodigy", unetLr: 1e-4, textEncoderLr: 1e-4 }))).toContain("low_learning_rate");
    const right = codes(planOf({ optimizer: "Prodigy", unetLr: 1, textEncoderLr: 1 }));
    expect(right).not.toContain("low_learning_rate");
    expect(right).not.toContain("high_learning_rate");
  });

  test("that needs no schedule gets none", () => {
    expect(planOf({ optimizer: "AdamWScheduleFree", lrScheduler: "cosine" }).settings.lrScheduler).toBe("constant");
  });

  test.each([
    [{ optimizerArgs: ["betas"] }, /optimizerArgs/],
    [{ lrWarmupSteps: 2.5 }, /lrWarmupSteps.*share below 1/],
    [{ emaDecay: 1 }, /emaDecay/],
  ])("with %j is refused in a sentence", (settings, message) => {
    expect(() => planOf(settings)).toThrow(message);
  });
});

test("a mask that lies beside its picture goes with it into the plan", () => {
  const dataset: Dataset = {
    name: "d",
    root: "/d",
    triggerWord: "zorp",
    subsets: [{ name: "2_zorp", repeats: 2, classTokens: "zorp", images: 1 }],
    images: [image("2_zorp", 0, { mask: "2_zorp/masks/0.png" })],
    problems: [],
  };
  expect(makePlan({ dataset, baseModel, settings: {}, now: 1 }).images[0]?.mask).toBe("2_zorp/masks/0.png");
});

test("a subset of its own counts its own prefix, and keeps all lines where only it has wildcards", () => {
  const dataset: Dataset = {
    name: "d",
    root: "/d",
    triggerWord: "zorp",
    subsets: [
      { name: "1_a", repeats: 1, classTokens: "a", images: 1 },
      { name: "1_b", repeats: 1, classTokens: "b", images: 1 },
    ],
    images: ["1_a", "1_b"].map((subset) => image(subset, 0, { caption: "zorp\nzorp two" })),
    problems: [],
  };
  const settings = { subsetSettings: { "1_b": { captionPrefix: "a photo of", enableWildcard: true } } };
  const { images } = makePlan({ dataset, baseModel, settings, now: 1 });
  expect(images.map(({ caption }) => caption)).toEqual(["zorp", "zorp\nzorp two"]);
  expect((images[1]?.tokens ?? 0) - (images[0]?.tokens ?? 0)).toBe(3);
  expect(() => makePlan({ dataset, baseModel, settings: { subsetSettings: { "1_b": { repeats: 3 } } } as never, now: 1 })).toThrow(
    /subsetSettings/,
  );
});
