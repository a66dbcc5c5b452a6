import type { Plan } from "../../protocol/plan.js";

/** One subset of a plan: its trained pictures, how often each is seen in an epoch (fewest and most), its share of the samples, 0–1. */
export type SubsetSamples = { name: string; images: number; repeats: number[]; share: number; isReg: boolean };

/** The subsets of a plan by name; those whose pictures are all held out are left out. */
export function samplesBySubset({ images, samplesPerEpoch }: Pick<Plan, "images" | "samplesPerEpoch">): SubsetSamples[] {
  const trained = images.filter(({ heldOut }) => !heldOut);
  const names = [...new Set(trained.map(({ subset }) => subset))].sort();
  return names.map((name) => {
    const own = trained.filter(({ subset }) => subset === name);
    const counts = own.map(({ repeats }) => repeats);
    const samples = counts.reduce((sum, repeats) => sum + repeats, 0);
    const range = [...new Set([counts.reduce((a, b) => Math.min(a, b)), counts.reduce((a, b) => Math.max(a, b))])];
    return { name, images: own.length, repeats: range, share: samples / samplesPerEpoch, isReg: own.some(({ isReg }) => isReg === true) };
  });
}
