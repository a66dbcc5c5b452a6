import { describe, expect, test } from "vitest";
import { learningRateAt } from "../../../../server/trainer/kohya/learning-rate.js";
import { readBar, readOutput } from "../../../../server/trainer/kohya/read-output.js";
import { planOf } from "../../plan-of.js";

describe("what sd-scripts prints", () => {
  test.each([
    [
      "steps:  42%|████▏     | 5/12 [03:10<04:26, 38.02s/it, avr_loss=0.123]",
      { kind: "step", step: 5, loss: 0.123, secondsPerStep: 38.02 },
    ],
    [
      "steps:   1%|          | 12/1200 [00:03<05:10,  3.83it/s, avr_loss=1.1e-5]",
      { kind: "step", step: 12, loss: 1.1e-5, secondsPerStep: 1 / 3.83 },
    ],
    [
      "steps:   2%|▏ | 3/150 [00:01<?, ?it/s, Keys Scaled=0, Average key norm=0.2, avr_loss=nan]",
      { kind: "step", step: 3, loss: Number.NaN, secondsPerStep: 0 },
    ],
    ["steps:   0%|          | 0/12 [00:00<?, ?it/s]", null],
    ["accelerator device: cuda", { kind: "device", device: "cuda" }],
    ["  num train images * repeats / 学習画像の数×繰り返し回数: 240", { kind: "count", what: "samples", value: 240 }],
    ["  num batches per epoch / 1epochのバッチ数: 60", { kind: "count", what: "stepsPerEpoch", value: 60 }],
    ["  total optimization steps / 学習ステップ数: 600", { kind: "count", what: "totalSteps", value: 600 }],
    ["INFO     bucket 1: resolution (256, 320), count: 6", { kind: "bucket", width: 256, height: 320, samples: 6 }],
    ["saving checkpoint: D:\\my runs\\out\\moss-000001.safetensors", { kind: "saving", file: "D:\\my runs\\out\\moss-000001.safetensors" }],
    ["caching latents...", null],
  ])("%s", (text, fact) => {
    expect(readOutput(text)).toEqual(fact);
  });

  test("has bars without a name", () => {
    expect(readBar(" 33%|███▎      | 2/6 [00:24<00:49, 12.47s/it]")).toEqual({ done: 2, total: 6 });
    expect(readBar("steps done")).toBeNull();
  });
});

test.each([
  [{ lrScheduler: "constant" }, [1, 1, 1]],
  [{ lrScheduler: "linear" }, [1, 0.5, 0.01]],
  [{ lrScheduler: "cosine" }, [1, 0.5, (1 + Math.cos(Math.PI * 0.99)) / 2]],
  [{ lrScheduler: "cosine_with_restarts", lrSchedulerNumCycles: 2 }, [1, 1, (1 + Math.cos(Math.PI * 0.98)) / 2]],
  [{ lrScheduler: "polynomial", lrSchedulerPower: 2 }, [1, 0.25, 0.0001]],
  [{ lrScheduler: "cosine", lrWarmupSteps: 0.1 }, [0, (1 + Math.cos(Math.PI * (40 / 90))) / 2, (1 + Math.cos(Math.PI * (89 / 90))) / 2]],
] as const)("the learning rate of %j is that of transformers' schedule", (settings, factors) => {
  const all = { ...planOf("ok").settings, unetLr: 1, ...settings };
  for (const [index, step] of [0, 50, 99].entries()) expect(learningRateAt(all, step, 100)).toBeCloseTo(factors[index] ?? 0, 12);
});
