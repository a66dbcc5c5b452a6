import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type BucketRules, chooseBucket, makeBuckets } from "../../../server/plan/buckets.js";

const Pair = z.tuple([z.int(), z.int()]);
const Fixture = z.object({
  reso: Pair,
  min: z.int(),
  max: z.int(),
  step: z.int(),
  no_upscale: z.boolean(),
  buckets: z.array(Pair).nullable(),
  cases: z.array(z.tuple([z.int(), z.int(), Pair, Pair, z.number()])),
});
const file = fileURLToPath(new URL("../../fixtures/kohya_buckets.json", import.meta.url));
const fixtures = z.array(Fixture).parse(JSON.parse(readFileSync(file, "utf8")));

function rulesOf({ reso: [width, height], min, max, step, no_upscale }: z.infer<typeof Fixture>): BucketRules {
  return { resolution: { width, height }, minBucketReso: min, maxBucketReso: max, bucketResoSteps: step, bucketNoUpscale: no_upscale };
}

describe("buckets", () => {
  for (const fixture of fixtures) {
    const rules = rulesOf(fixture);
    const name = `${fixture.reso.join("×")} from ${fixture.min} to ${fixture.max} by ${fixture.step}${fixture.no_upscale ? " without upscaling" : ""}`;
    test(`at ${name} are those of kohya's trainer for every picture`, () => {
      if (fixture.buckets !== null) expect(makeBuckets(rules)).toEqual(fixture.buckets);
      for (const [width, height, bucket, resized] of fixture.cases) {
        expect({ width, height, ...chooseBucket({ width, height }, rules) }).toMatchObject({ width, height, bucket, resized });
      }
    });
  }

  test("tell which share of the scaled picture the crop cuts off", () => {
    const rules = rulesOf({ reso: [512, 512], min: 256, max: 1024, step: 64, no_upscale: false, buckets: null, cases: [] });
    expect(chooseBucket({ width: 1500, height: 1000 }, rules).cropLoss).toBeCloseTo(0.101, 3);
    expect(chooseBucket({ width: 512, height: 512 }, rules).cropLoss).toBe(0);
  });

  test("that kohya's trainer would refuse are bad settings", () => {
    const rules = rulesOf({ reso: [512, 512], min: 256, max: 1024, step: 64, no_upscale: false, buckets: null, cases: [] });
    for (const wrong of [{ minBucketReso: 640 }, { maxBucketReso: 448 }, { bucketResoSteps: 60 }, { bucketResoSteps: 1024 }]) {
      expect(() => makeBuckets({ ...rules, ...wrong })).toThrow(/Expected/);
    }
  });
});
