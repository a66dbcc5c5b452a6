import fc from "fast-check";
import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ResolvedSettings, Settings } from "../../../../protocol/settings.js";
import { exportConfig } from "../../../../server/plan/kohya/export-config.js";
import { importSettings } from "../../../../server/plan/kohya/import-settings.js";
import { planOf } from "../../plan-of.js";

const places = { ...planOf("lantern"), outputName: "lantern", outputDir: "/runs/1/out", datasetConfig: "/runs/1/dataset.toml" };
const plain = planOf("lantern").settings;
const exported = (settings: ResolvedSettings) => exportConfig(settings, places);

/** Values for a setting by its JSON schema, so that a new setting is tried as well. */
function valuesOf(schema: z.core.JSONSchema.BaseSchema, key: string): fc.Arbitrary<unknown> {
  if (schema.anyOf) return fc.oneof(...schema.anyOf.filter(isSchema).map((part) => valuesOf(part, key)));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 5000, 5000) });
    case "number":
      return fc.oneof(fc.double({ min: 1e-9, max: schema.maximum ?? 1, noNaN: true }), fc.constantFrom(1, 0.5, 1e-7, schema.minimum ?? 1));
    case "string":
      return fc.constantFrom("lantern", "ñ 2", 'a "quoted" one');
    default:
      return fc.constant(Reflect.get(plain, key));
  }
}

function isSchema(value: unknown): value is z.core.JSONSchema.BaseSchema {
  return typeof value === "object" && value !== null;
}

const properties = z.toJSONSchema(Settings, { io: "input", unrepresentable: "any" }).properties ?? {};
const Chosen = Settings.partial();
const fields = Object.entries(properties).flatMap(([key, schema]) =>
  isSchema(schema) ? [[key, fc.option(valuesOf(schema, key), { nil: undefined })] as const] : [],
);
const settings = fc.record(Object.fromEntries(fields)).map((changed) => {
  // What one setting's own schema refuses is left as it is.
  const valid = Object.entries(changed).filter(
    ([key, value]) => value !== undefined && value !== null && Chosen.safeParse({ [key]: value }).success,
  );
  return ResolvedSettings.parse({ ...plain, ...Object.fromEntries(valid) });
});

describe("an exported config", () => {
  test("gives the same settings again when it is imported", () => {
    fc.assert(
      fc.property(settings, (some) => {
        const report = importSettings(exported(some), "config.toml");
        expect(report.refused).toEqual([]);
        expect(report.unknown).toEqual([]);
        expect(report.settings).toEqual(some);
      }),
      { numRuns: 100, endOnFailure: true },
    );
  });

  test("has what sd-scripts asks for, in its spelling", () => {
    const { model, network, training, saving } = parse(exported({ ...plain, weightDecay: 0.1, batchSize: 2, epochs: 3 }));
    expect(model).toEqual({ pretrained_model_name_or_path: "/nowhere/tiny.safetensors" });
    expect(network).toEqual({ network_module: "networks.lora" });
    expect(training).toMatchObject({
      network_dim: 64,
      max_train_epochs: 3,
      train_batch_size: 2,
      resolution: "64,64",
      text_encoder_lr: [1e-3],
    });
    expect(training).toMatchObject({ optimizer_args: ["weight_decay=0.1"], cache_latents: true, enable_bucket: true });
    expect(saving).toMatchObject({
      output_name: "lantern",
      output_dir: "/runs/1/out",
      save_every_n_epochs: 1,
      save_model_as: "safetensors",
    });
  });

  test("says in sd-scripts' way that a part is not trained, and that a constant schedule warms up", () => {
    const frozen = parse(exported({ ...plain, textEncoderLr: 0, lrScheduler: "constant", lrWarmupSteps: 10 }));
    expect(frozen.network).toMatchObject({ network_train_unet_only: true });
    expect(frozen.training).toMatchObject({ lr_scheduler: "constant_with_warmup", lr_warmup_steps: 10 });
    expect(frozen.training).not.toHaveProperty("text_encoder_lr");
  });
});
