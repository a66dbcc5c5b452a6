import { describe, expect, test } from "vitest";
import { Settings } from "../../../../protocol/settings.js";
import { engineWarnings } from "../../../../server/plan/engine-warnings.js";
import { importSettings } from "../../../../server/plan/kohya/import-settings.js";
import { resolvedSettings } from "../resolved-settings.js";

describe("An import", () => {
  test("of a launch with several processes makes one batch of theirs", () => {
    const script = "accelerate launch --num_processes=4 train_network.py --train_batch_size=3 --network_dim=8";
    const { settings, unknown } = importSettings(script, "train.sh");
    expect(settings).toMatchObject({ numProcesses: 4, batchSize: 12 });
    expect(unknown).toEqual([]);
    expect(importSettings("accelerate launch --num_processes=2 train_network.py --network_dim=8", "train.sh").settings).toMatchObject({
      batchSize: 2,
    });
  });

  test("takes what sd-scripts does to losses, noise and tags", () => {
    const text = "adaptive_noise_scale = 0.05\nv_pred_like_loss = 0.5\nscale_v_pred_loss_like_noise_pred = true\ntoken_warmup_step = 0.2";
    expect(importSettings(`${text}\ntoken_warmup_min = 3`, "x.toml").settings).toEqual({
      adaptiveNoiseScale: 0.05,
      vPredLikeLoss: 0.5,
      scaleVPredLossLikeNoisePred: true,
      tokenWarmupStep: 0.2,
      tokenWarmupMin: 3,
    });
  });

  test("of LyCORIS changes convolutions as LyCORIS does", () => {
    const whole = 'network_module = "lycoris.kohya"\nnetwork_dim = 16\nnetwork_alpha = 8\n';
    expect(importSettings(`${whole}network_args = ["algo=loha"]`, "x.toml").settings).toMatchObject({ convDim: 16, convAlpha: 8 });
    const plain = importSettings(`${whole}network_args = ["algo=loha", "preset=attn-mlp"]`, "x.toml").settings;
    expect(plain).not.toHaveProperty("convDim");
  });
});

describe("A plan", () => {
  test("says when processes would have nothing to do", () => {
    const settings = resolvedSettings(Settings.parse({ numProcesses: 4, batchSize: 3 }));
    expect(engineWarnings(settings, "sd1").map(({ message }) => message)).toEqual([expect.stringMatching(/3 pictures.*1 of 4 processes/)]);
    expect(engineWarnings({ ...settings, batchSize: 4 }, "sd1")).toEqual([]);
  });
});
