import { describe, expect, test } from "vitest";
import { engineWarnings } from "../../../../server/plan/engine-warnings.js";
import { exportConfig } from "../../../../server/plan/kohya/export-config.js";
import { importSettings } from "../../../../server/plan/kohya/import-settings.js";
import { planOf } from "../../plan-of.js";

const plan = planOf("ok");
const places = { baseModel: plan.baseModel, outputName: "zorp", outputDir: "/out", datasetConfig: "/data.toml" };

describe("options that save memory", () => {
  test.each([
    ["gradient_checkpointing = true", { gradientCheckpointing: true }],
    ["fp8_base = true", { baseWeights: "fp8" }],
    ["fp8_base_unet = true", { baseWeights: "fp8" }],
  ])("%s is taken over", (toml, expected) => {
    const { settings, unknown, refused } = importSettings(toml, "config.toml");
    expect(settings).toMatchObject(expected);
    expect([...unknown, ...refused]).toEqual([]);
  });

  test("that are off change nothing", () => {
    const { settings, unknown } = importSettings("gradient_checkpointing = false\nfp8_base = false", "config.toml");
    expect(settings.baseWeights ?? "full").toBe("full");
    expect(unknown).toEqual([]);
  });

  test.each(["full", "fp8", "int8"] as const)("come back from an export with baseWeights %s", (baseWeights) => {
    const settings = { ...plan.settings, gradientCheckpointing: true, baseWeights, mixedPrecision: "bf16" as const };
    const config = exportConfig(settings, places);
    expect(config.includes("fp8_base_unet = true")).toBe(baseWeights === "fp8");
    expect(importSettings(config, "config.toml").settings).toMatchObject({ gradientCheckpointing: true, baseWeights });
  });

  test.each([
    ["int8", "bf16", 1],
    ["fp8", "no", 1],
    ["fp8", "bf16", 0],
    ["full", "no", 0],
  ] as const)("that sd-scripts lacks are told: %s with %s", (baseWeights, mixedPrecision, count) => {
    const warnings = engineWarnings({ ...plan.settings, engine: "kohya", baseWeights, mixedPrecision }, "sd1");
    expect(warnings).toHaveLength(count);
  });
});
