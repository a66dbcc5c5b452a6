import type { Plan, PlanImage } from "../../protocol/plan.js";

/**
 * One subset of a plan: its trained pictures, how often each is seen in an epoch (fewest and most), and its share of the samples, 0–1:
 * of those of all subsets but the regularisation's, or of the regularisation's.
 */
export type SubsetSamples = { name: string; images: number; repeats: number[]; share: number; isReg: boolean };

/** The subsets of a plan by name; those whose pictures are all held out are left out. */
export function samplesBySubset({ images }: Pick<Plan, "images">): SubsetSamples[] {
  const trained = images.filter(({ heldOut }) => !heldOut);
  const samplesOf = (some: readonly PlanImage[]) => some.reduce((sum, { repeats }) => sum + repeats, 0);
  const names = [...new Set(trained.map(({ subset }) => subset))].sort();
  return names.map((name) => {
    const own = trained.filter(({ subset }) => subset === name);
    const counts = own.map(({ repeats }) => repeats);
    const isReg = own.some((image) => image.isReg === true);
    const share = samplesOf(own) / samplesOf(trained.filter((image) => (image.isReg === true) === isReg));
    const range = [...new Set([counts.reduce((a, b) => Math.min(a, b)), counts.reduce((a, b) => Math.max(a, b))])];
    return { name, images: own.length, repeats: range, share, isReg };
  });
}
