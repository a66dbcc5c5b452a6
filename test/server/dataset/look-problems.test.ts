import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { scanDataset } from "../../../server/dataset/scan.js";
import { png, temporaryFolder, writeFiles } from "./sample-pictures.js";

/** Patches between two values of grey, or of red when coloured, on a border of one tone. */
async function patches({
  low,
  high,
  seed = 1,
  border = null,
}: {
  low: number;
  high: number;
  seed?: number;
  border?: number | null;
}): Promise<Buffer> {
  const side = 160;
  const pixels = Buffer.alloc(side * side * 3);
  for (let i = 0; i < side * side; i++) {
    const [row, column] = [Math.floor(i / side / 20), Math.floor((i % side) / 20)];
    const isBorder = border !== null && (row === 0 || column === 0 || column === 7);
    const value = low + ((Math.imul(row * 8 + column + seed * 97, 0x9e3779b1) >>> 20) % (high - low + 1));
    pixels.fill(isBorder ? border : value, 3 * i, 3 * i + 3);
    if (border !== null && !isBorder) pixels[3 * i] = 255 - value;
  }
  return await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
}

async function codesOf(files: Record<string, string | Uint8Array>): Promise<Record<string, string[]>> {
  const root = await temporaryFolder();
  await writeFiles(root, files);
  const { images } = await scanDataset(root);
  return Object.fromEntries(images.map(({ id, problems }) => [id, problems.filter((code) => code !== "no_caption")]));
}

describe("the looks of a picture", () => {
  test("tell dark, nearly white, empty and colourless ones from ordinary ones", async () => {
    const empty = await sharp({ create: { width: 90, height: 90, channels: 3, background: "#808080" } })
      .png()
      .toBuffer();
    expect(
      await codesOf({
        "dark.png": await patches({ low: 0, high: 40 }),
        "empty.png": empty,
        "grey.png": await patches({ low: 0, high: 255 }),
        "light.png": await patches({ low: 215, high: 255, seed: 3 }),
        "ordinary.png": await png({ seed: 4 }),
      }),
    ).toEqual({
      "dark.png": ["dark"],
      "empty.png": ["low_information"],
      "grey.png": ["monochrome"],
      "light.png": ["light"],
      "ordinary.png": [],
    });
  });

  test("tell a plain background that most of the set has, and only then", async () => {
    const white = await Promise.all(
      Array.from({ length: 8 }, (_, seed) => patches({ low: 0, high: 200, seed: seed * 5 + 1, border: 250 })),
    );
    const files = Object.fromEntries(white.map((content, i) => [`1_x/${i}.png`, content]));
    const all = await codesOf({ ...files, "1_x/other.png": await png({ seed: 50 }) });
    expect(Object.entries(all).filter(([, codes]) => codes.includes("same_background"))).toHaveLength(8);
    expect(all["1_x/other.png"]).toEqual([]);
    const others = Object.fromEntries(
      await Promise.all(Array.from({ length: 8 }, async (_, i) => [`1_x/o${i}.png`, await png({ seed: 60 + i })])),
    );
    expect(Object.values(await codesOf({ ...files, ...others })).flat()).not.toContain("same_background");
  });
});

describe("the tags of a picture", () => {
  test.each([
    ["1girl, solo", []],
    ["2girls, hat", ["several_characters"]],
    ["1girl, 1boy", ["several_characters"]],
    ["6+boys", ["several_characters"]],
    ["Multiple_Girls", ["several_characters"]],
    ["4koma, greyscale", ["monochrome", "comic"]],
    ["comic book, 1girl, girls und panzer", []],
  ])("%s: %j", async (caption, codes) => {
    const found = await codesOf({ "1_x/a.png": await png({ seed: 4 }), "1_x/a.txt": caption });
    expect(found["1_x/a.png"]?.filter((code) => code !== "caption_lint")).toEqual(codes);
  });

  test("of regularisation pictures say nothing", async () => {
    const found = await codesOf({ "reg/1_girl/a.png": await png({ seed: 4 }), "reg/1_girl/a.txt": "2girls, comic" });
    expect(found["reg/1_girl/a.png"]).toEqual([]);
  });
});
