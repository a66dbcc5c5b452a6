import type { Settings } from "../../protocol/settings.js";

export const BASE_MODEL = "pocket";
export const TRIGGER_WORD = "mossling";
export const DATA_SEED = 7;

/** Chosen so that the grid moves from under- to over-trained within minutes on two CPU cores. */
export const SETTINGS: Partial<Settings> = {
  targetSteps: 396,
  epochs: 6,
  batchSize: 4,
  networkDim: 8,
  networkAlpha: 8,
  unetLr: 1.4e-3,
  textEncoderLr: 5e-4,
  lrScheduler: "constant",
  grid: {
    enabled: true,
    weights: [0.4, 0.7, 1, 1.3],
    prompts: [],
    negativePrompt: "",
    seeds: [5],
    sampler: "ddim",
    steps: 16,
    cfgScale: 4,
  },
};
