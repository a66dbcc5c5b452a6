import { describe, expect, test } from "vitest";
import type { Dataset, DatasetImage } from "../../../protocol/dataset.js";
import type { BaseModel } from "../../../protocol/plan.js";
import { makePlan, type PlanInput } from "../../../server/plan/make-plan.js";

const baseModel: BaseModel = { name: "pocket", path: "/models/pocket.safetensors", kind: "sd1", resolution: 128, bytes: 36_000_000 };

/** Twenty good and forty weak pictures, each different from all others. */
function dataset(): Dataset {
  const images = Array.from({ length: 60 }, (_, index): DatasetImage => {
    const subset = index < 20 ? "1_moss" : "1_moss weak";
    const phash = index.toString(16).padStart(2, "0").repeat(8);
    const file = { width: 800, height: 800, format: "png", bytes: 1, transparent: false, phash };
    return { id: `${subset}/${index}.png`, subset, ...file, caption: "moss", tags: ["moss"], problems: [] };
  });
  const subsets = [
    { name: "1_moss", repeats: 1, classTokens: "moss", images: 20 },
    { name: "1_moss weak", repeats: 1, classTokens: "moss weak", images: 40 },
  ];
  return { name: "moss", root: "/sets/moss", triggerWord: "moss", subsets, images, problems: [] };
}

const planOf = (settings: PlanInput["settings"]) =>
  makePlan({ dataset: dataset(), baseModel, settings: { targetSteps: 2500, epochs: 10, ...settings }, now: 1 });
const share = (plan: ReturnType<typeof planOf>, subset: string) =>
  plan.images.filter((image) => image.subset === subset).reduce((sum, { repeats }) => sum + repeats, 0) / plan.samplesPerEpoch;
const heldOut = (plan: ReturnType<typeof planOf>) => plan.images.filter((image) => image.heldOut).map(({ id }) => id);

describe("what a plan is built of", () => {
  test("shares of subsets become whole repeats, and steps stay exact", () => {
    const plan = planOf({ subsetShares: { "1_moss": 70, "1_moss weak": 30 }, heldOutImages: 0 });
    expect(share(plan, "1_moss")).toBeCloseTo(0.7, 1);
    expect(plan.samplesPerEpoch).toBe(plan.images.reduce((sum, { repeats }) => sum + repeats, 0));
    expect(plan.totalSteps).toBe(plan.samplesPerEpoch * 10);
    expect(plan.warnings.map(({ code }) => code)).not.toContain("steps_off_target");
  });

  test("a share of a folder that has gone is told and not used", () => {
    const plan = planOf({ subsetShares: { "1_moor": 70 }, heldOutImages: 0 });
    expect(plan.warnings.find(({ code }) => code === "unknown_settings")?.message).toContain('subsetShares "1_moor"');
    expect(new Set(plan.images.map(({ repeats }) => repeats)).size).toBe(1);
  });

  test("pictures that were named are held out, and no others", () => {
    const chosen = ["1_moss/3.png", "1_moss weak/41.png"];
    const plan = planOf({ heldOutPictures: [...chosen, "1_moss/gone.png"] });
    expect(heldOut(plan).sort()).toEqual([...chosen].sort());
    expect(plan.settings.heldOutImages).toBe(2);
    expect(plan.warnings.find(({ code }) => code === "unknown_settings")?.message).toContain("1_moss/gone.png");
  });

  test("where none of the named is left, the choice is the plan's again", () => {
    expect(heldOut(planOf({ heldOutPictures: ["1_moss/gone.png"] }))).toEqual(heldOut(planOf({})));
  });
});
