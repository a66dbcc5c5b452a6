/**
 * `npm run bench -- dataset [PICTURES] [LARGE]`: generates pictures, then looks at each as a scan does and brings it to its bucket (header, decoding,
 * white behind alpha, bucket size, perceptual hash), in turns with Pillow doing the same. Then a data set
 * of so many small pictures (20,000) is opened, scrolled and sorted in a browser. Prints one JSON line.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { checkoutRoot } from "../../server/checkout.js";
import { DECODERS, sharp } from "../../server/dataset/decoder.js";
import { readPicture } from "../../server/dataset/picture.js";
import { mapPool } from "../../server/dataset/pool.js";
import { type BucketRules, chooseBucket, makeBuckets, type Size } from "../../server/plan/buckets.js";
import { measureLarge } from "./large-dataset.js";

const rules: BucketRules = {
  resolution: { width: 512, height: 512 },
  minBucketReso: 256,
  maxBucketReso: 1024,
  bucketResoSteps: 64,
  bucketNoUpscale: false,
};
const ROUNDS = 10;
const Answer = z.object({ seconds: z.number().positive(), pictures: z.int() });

type Work = { file: string; bucket: Size; resized: Size };

const folder = await mkdtemp(join(tmpdir(), "train-lora-bench-"));
try {
  const works = await drawPictures(folder, Number(process.argv[2] ?? 500));
  let ourSeconds = 0;
  let pillowSeconds = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const share = works.filter((_, index) => index % ROUNDS === round);
    // Who begins changes from round to round, so that a slow minute of the machine hits both.
    if (round % 2 === 0) ourSeconds += await timeOurs(share);
    pillowSeconds += await timePillow(share);
    if (round % 2 === 1) ourSeconds += await timeOurs(share);
  }
  const figures = {
    pictures: works.length,
    ourSeconds: round(ourSeconds),
    pillowSeconds: round(pillowSeconds),
    ratio: round(pillowSeconds / ourSeconds),
  };
  const large = await measureLarge(Number(process.argv[3] ?? 20_000));
  process.stdout.write(`${JSON.stringify({ bench: "dataset", ...figures, ...large })}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Half JPEG, a quarter PNG, a quarter PNG with transparency, 1024 × 768 to 2000 × 1500, soft shapes under fine grain. */
async function drawPictures(into: string, count: number): Promise<Work[]> {
  const buckets = makeBuckets(rules);
  process.stderr.write(`Drawing ${count} pictures …\n`);
  const grain = Int8Array.from({ length: 1 << 20 }, (_, i) => ((Math.imul(i + 1, 0x9e3779b1) >>> 20) % 9) - 4);
  return await mapPool(
    Array.from({ length: count }, (_, index) => index),
    DECODERS,
    async (index) => {
      const width = 1024 + Math.round((976 * ((index * 37) % count)) / Math.max(1, count - 1));
      const height = Math.round(width * 0.75);
      const kind = ["jpg", "rgb.png", "jpg", "rgba.png"][index % 4] ?? "jpg";
      const file = join(into, `${index}.${kind}`);
      const coarse = Buffer.from(Array.from({ length: 16 * 12 * 4 }, (_, i) => (Math.imul(i + index * 769 + 1, 0x9e3779b1) >>> 13) & 255));
      if (kind !== "rgba.png") for (let i = 3; i < coarse.length; i += 4) coarse[i] = 255;
      const soft = await sharp(coarse, { raw: { width: 16, height: 12, channels: 4 } })
        .resize(width, height, { fit: "fill" })
        .raw()
        .toBuffer();
      const pixels = new Uint8ClampedArray(soft);
      // Grain on the colours alone: an alpha channel of a drawing is smooth.
      for (let i = 0; i < pixels.length; i++) if (i % 4 !== 3) pixels[i] = (pixels[i] ?? 0) + (grain[(i * 7 + index) % grain.length] ?? 0);
      const grainy = sharp(Buffer.from(pixels.buffer), { raw: { width, height, channels: 4 } });
      if (kind === "jpg") await grainy.removeAlpha().jpeg({ quality: 92 }).toFile(file);
      else await (kind === "rgb.png" ? grainy.removeAlpha() : grainy).png().toFile(file);
      return { file, ...chooseBucket({ width, height }, rules, buckets) };
    },
  );
}

async function timeOurs(works: readonly Work[]): Promise<number> {
  const began = performance.now();
  await mapPool(works, DECODERS, async ({ file, resized: [width, height] }) => {
    const { facts, pixels } = await readPicture(file, { width, height });
    if (!facts.ok || pixels === null) throw new Error(`Expected ${file} to be readable.`);
  });
  return (performance.now() - began) / 1000;
}

async function timePillow(works: readonly Work[]): Promise<number> {
  const list = join(folder, "list.json");
  await writeFile(list, JSON.stringify(works.map(({ file, bucket, resized }) => ({ file, bucket, resized }))));
  const python = process.env.TRAIN_LORA_TEST_PYTHON ?? "python3";
  const script = join(checkoutRoot(), "trainer-py", "bench", "dataset.py");
  const { stdout } = await promisify(execFile)(python, [script, list]);
  const answer = Answer.parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
  if (answer.pictures !== works.length) throw new Error(`Expected Pillow to do ${works.length} pictures, but it did ${answer.pictures}.`);
  return answer.seconds;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
