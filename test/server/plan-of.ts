import type { Plan } from "../../protocol/plan.js";
import { ResolvedSettings } from "../../protocol/settings.js";

/** A plan of 2 epochs × 3 steps; `outputName` chooses how the fixture's trainer goes about it. */
export function planOf(outputName: string, { epochs = 2, stepsPerEpoch = 3 }: { epochs?: number; stepsPerEpoch?: number } = {}): Plan {
  const size: [number, number] = [64, 64];
  return {
    planVersion: 1,
    id: `plan-${outputName}`,
    createdAt: 1,
    baseModel: { name: "tiny", path: "/nowhere/tiny.safetensors", kind: "sd1", resolution: 64, bytes: 1 },
    dataset: { name: "moss", root: "/nowhere/moss", triggerWord: "moss" },
    settings: ResolvedSettings.parse({
      outputName,
      epochs,
      resolution: { width: 64, height: 64 },
      minBucketReso: 64,
      maxBucketReso: 64,
      bucketResoSteps: 64,
      mixedPrecision: "no",
      keepTokens: 1,
      maxTokenLength: 75,
      heldOutImages: 1,
      grid: { weights: [0.5, 1], prompts: ["moss, tree", "tree"] },
    }),
    images: [],
    buckets: [{ size, images: 3, samples: 3, batches: 3 }],
    stepsPerEpoch,
    totalSteps: epochs * stepsPerEpoch,
    samplesPerEpoch: stepsPerEpoch,
    exposuresPerImage: epochs,
    maxCaptionTokens: 3,
    files: Array.from({ length: epochs }, (_, index) => `${outputName}${index === epochs - 1 ? "" : `-00000${index + 1}`}.safetensors`),
    diskBytes: 1,
    genericPrompts: ["a tree"],
    warnings: [],
  };
}
