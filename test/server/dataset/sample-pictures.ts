import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { onTestFinished } from "vitest";

export type Sample = { seed: number; width?: number; height?: number; alpha?: boolean };

/** A folder that goes when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "train-lora-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A picture of coloured patches; every seed shows something else. With `alpha`, its left third is transparent over a hidden red. */
export function drawing({ seed, width = 160, height = 120, alpha = false }: Sample): ReturnType<typeof sharp> {
  const channels = alpha ? 4 : 3;
  const pixels = Buffer.alloc(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const patch = Math.floor((8 * y) / height) * 8 + Math.floor((8 * x) / width);
      const at = (y * width + x) * channels;
      for (let c = 0; c < 3; c++) pixels[at + c] = noise(seed, patch, c);
      if (alpha && x < width / 3) pixels.set([255, 0, 0, 0], at);
      else if (alpha) pixels[at + 3] = 255;
    }
  }
  return sharp(pixels, { raw: { width, height, channels } });
}

function noise(seed: number, patch: number, channel: number): number {
  let x = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(patch + 7, 0x85ebca6b) ^ Math.imul(channel + 3, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return (x ^ (x >>> 15)) & 255;
}

export const png = (sample: Sample): Promise<Buffer> => drawing(sample).png().toBuffer();
export const jpeg = (sample: Sample): Promise<Buffer> => drawing(sample).jpeg({ quality: 92 }).toBuffer();

/** Writes files by their paths below a folder; makes the folders. */
export async function writeFiles(root: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

/** Content of all files below a folder by path, those of hidden folders left out, as base64. */
export async function contentOf(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  const shown = files.filter((path) => !path.includes(".originals") && !path.startsWith(".train-lora/")).sort();
  return Object.fromEntries(await Promise.all(shown.map(async (path) => [path, (await readFile(join(root, path))).toString("base64")])));
}

/** The first bytes of a PNG that claims a size; nothing follows. */
export function pngHeader(width: number, height: number): Buffer {
  const head = Buffer.alloc(33);
  head.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]);
  head.write("IHDR", 12);
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  head.set([8, 2], 24);
  return head;
}
