import { type BucketChoice, checkBucketRules, chooseBucket, makeBuckets } from "../plan/buckets.js";
import { defineCommand, UsageError } from "./command.js";
import { neededNumber, pixelSize } from "./numbers.js";

/** The defaults of kohya's trainer, pixels. */
const KOHYA = { min: "256", max: "1024", step: "64" };

export const bucketsCommand = defineCommand({
  words: "buckets",
  summary: "tell kohya's bucket for each size on stdin",
  help: `buckets --resolution WxH [--min N] [--max N] [--step N] [--no-upscale]

Reads sizes in pixels from stdin, one "W H" or "WxH" a line.

  --min N, --max N, --step N   bounds and step of a bucket's sides (default ${KOHYA.min}, ${KOHYA.max}, ${KOHYA.step})
  --no-upscale                 only ever scale down

Example: echo 800 600 | train-lora buckets --resolution 512x512 --min 256 --max 1024 --step 64 --json`,
  options: {
    resolution: { type: "string" },
    min: { type: "string", default: KOHYA.min },
    max: { type: "string", default: KOHYA.max },
    step: { type: "string", default: KOHYA.step },
    "no-upscale": { type: "boolean", default: false },
  },
  positionals: [],
  async run({ values, out }) {
    const rules = {
      resolution: pixelSize("--resolution", values.resolution),
      minBucketReso: neededNumber("--min", values.min),
      maxBucketReso: neededNumber("--max", values.max),
      bucketResoSteps: neededNumber("--step", values.step),
      bucketNoUpscale: values["no-upscale"],
    };
    checkBucketRules(rules);
    const list = rules.bucketNoUpscale ? undefined : makeBuckets(rules);
    const sizes = (await out.input()).split("\n").flatMap(readSize);
    const choices = sizes.map((size) => ({ ...size, ...chooseBucket(size, rules, list) }));
    out.result(choices, choices.map(describe).join("\n"));
  },
});

type PixelSize = { width: number; height: number };

function readSize(line: string, index: number): PixelSize[] {
  if (line.trim() === "") return [];
  const [, width, height] = /^(\d+)(?:\s+|\s*[x×]\s*)(\d+)$/i.exec(line.trim()) ?? [];
  if (!Number(width) || !Number(height))
    throw new UsageError(`Line ${index + 1} of stdin: expected "W H" in pixels, but got "${line.trim()}".`);
  return [{ width: Number(width), height: Number(height) }];
}

function describe({ width, height, bucket, resized, cropLoss }: PixelSize & BucketChoice): string {
  return `${width} ${height}: bucket ${bucket.join("x")}, scaled to ${resized.join("x")}, ${(cropLoss * 100).toFixed(1)} % cut off`;
}
