import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import sharp from "sharp";

/** The Python of the venv that `npm test` has brought up; undefined where a test is run on its own without one. */
export const testPython = process.env.TRAIN_LORA_TEST_PYTHON;
export const testVenv = dirname(dirname(testPython ?? ""));

const WRITER = fileURLToPath(new URL("../../tagger", import.meta.url));

/**
 * A WD tagger of the real shape: it calls red pictures `red_thing`, blue ones `blue_thing` and everything `solo`. `side` is the edge of
 * what it looks at, in pixels.
 */
export async function writeTagger(folder: string, side = 8): Promise<string> {
  await mkdir(folder, { recursive: true });
  const script = `
import pathlib, sys
from onnx_bytes import mean_colour_tagger
blue, green, red = [0, 0, 0, 0.1], [0, 0, 0, 0], [0, 0, 0.1, 0]
model = mean_colour_tagger([blue, green, red], [2.0, 3.0, -12.0, -12.0], side=int(sys.argv[2]))
pathlib.Path(sys.argv[1], "model.onnx").write_bytes(model)
`;
  await execa(testPython ?? "python3", ["-c", script, folder, String(side)], { env: { PYTHONPATH: WRITER } });
  const rows = ["tag_id,name,category,count", "1,general,9,1", "2,solo,0,1", "3,red_thing,0,1", "4,blue_thing,4,1"];
  await writeFile(join(folder, "selected_tags.csv"), `${rows.join("\n")}\n`);
  return folder;
}

/** Pictures of one colour with their captions; null for none. */
export async function writeColours(
  folder: string,
  pictures: Record<string, { colour: { r: number; g: number; b: number }; caption: string | null }>,
): Promise<string> {
  for (const [name, { colour, caption }] of Object.entries(pictures)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await sharp({ create: { width: 64, height: 48, channels: 3, background: colour } })
      .png()
      .toFile(join(folder, name));
    if (caption !== null) await writeFile(join(folder, name.replace(/\.png$/, ".txt")), caption);
  }
  return folder;
}

export const RED = { r: 200, g: 0, b: 0 };
export const BLUE = { r: 0, g: 0, b: 250 };
export const GREY = { r: 40, g: 40, b: 40 };
