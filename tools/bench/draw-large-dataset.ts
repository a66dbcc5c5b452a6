import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DECODERS, sharp } from "../../server/dataset/decoder.js";
import { mapPool } from "../../server/dataset/pool.js";

const TAGS = Array.from(
  { length: 400 },
  (_, index) => `${["long", "short", "blue", "red", "open", "wide", "dark", "plain"][index % 8]} thing ${index}`,
);

/** Draws so many small pictures that all differ, with captions of some 25 tags, in two subsets of kohya's layout below `root`. */
export async function drawLargeDataset(root: string, count: number): Promise<void> {
  const subsets = ["7_lantern keeper", "3_lantern keeper weak"];
  for (const subset of subsets) await mkdir(join(root, subset), { recursive: true });
  await mapPool(
    Array.from({ length: count }, (_, index) => index),
    DECODERS,
    async (index) => {
      const stem = join(root, subsets[index % 4 === 3 ? 1 : 0] ?? "", `picture-${String(index).padStart(6, "0")}`);
      const coarse = Buffer.from(Array.from({ length: 8 * 6 * 3 }, (_, i) => noise(index * 997 + i) & 255));
      const picture = sharp(coarse, { raw: { width: 8, height: 6, channels: 3 } }).resize(160, 120, { fit: "fill" });
      await writeFile(`${stem}.jpg`, await picture.jpeg({ quality: 80 }).toBuffer());
      const tags = Array.from({ length: 20 + (index % 11) }, (_, i) => TAGS[noise(index * 31 + i) % TAGS.length]);
      await writeFile(`${stem}.txt`, ["lantern keeper", ...new Set(tags)].join(", "));
    },
  );
}

/** A whole number below 2^20 that looks random. */
function noise(seed: number): number {
  const mixed = Math.imul(seed + 1, 0x9e3779b1) ^ (Math.imul(seed + 1, 0x85ebca6b) >>> 13);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> 12;
}
