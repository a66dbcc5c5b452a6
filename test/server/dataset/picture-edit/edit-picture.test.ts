import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { PictureOperation } from "../../../../protocol/picture-edit.js";
import { sharp } from "../../../../server/dataset/decoder.js";
import { editPicture } from "../../../../server/dataset/picture-edit/edit-picture.js";
import { undoEdit } from "../../../../server/dataset/undo.js";
import { contentOf, temporaryFolder, writeFiles } from "../sample-pictures.js";

const RED = { r: 220, g: 30, b: 30 };

/** A red picture whose left half is blue, 64 × 32. */
function halves() {
  const blue = { create: { width: 32, height: 32, channels: 3, background: { r: 20, g: 40, b: 200 } } } as const;
  return sharp({ create: { width: 64, height: 32, channels: 3, background: RED } }).composite([{ input: blue, left: 0, top: 0 }]);
}

/** A mask of 64 × 32 that is white in a box. */
async function maskOf(left: number, top: number, width: number, height: number): Promise<string> {
  const white = { create: { width, height, channels: 3, background: "#ffffff" } } as const;
  const mask = sharp({ create: { width: 64, height: 32, channels: 3, background: "#000000" } }).composite([{ input: white, left, top }]);
  return (await mask.png().toBuffer()).toString("base64");
}

async function edited(files: Record<string, string | Uint8Array>, operations: PictureOperation[], image = "1_x/a.png") {
  const root = await temporaryFolder();
  await writeFiles(root, files);
  const before = await contentOf(root);
  const report = await editPicture(root, image, operations);
  const pixel = async (file: string, x: number, y: number) => {
    const { data, info } = await sharp(await readFile(join(root, file)))
      .raw()
      .toBuffer({ resolveWithObject: true });
    return [...data.subarray((y * info.width + x) * info.channels, (y * info.width + x + 1) * info.channels)];
  };
  return { root, before, report, pixel };
}

describe("editing a picture", () => {
  test("cuts the frame out of picture and mask, and undo brings every byte back", async () => {
    const files = {
      "1_x/a.png": await halves().png().toBuffer(),
      "1_x/a.txt": "x",
      "1_x/masks/a.png": await halves().greyscale().png().toBuffer(),
    };
    const { root, before, report, pixel } = await edited(files, [{ type: "crop", left: 30, top: 4, width: 20, height: 10 }]);
    expect(report).toMatchObject({ width: 20, height: 10 });
    expect(await pixel("1_x/a.png", 0, 0)).toEqual([20, 40, 200]);
    expect(await pixel("1_x/a.png", 5, 5)).toEqual([220, 30, 30]);
    expect(await sharp(await readFile(join(root, "1_x/masks/a.png"))).metadata()).toMatchObject({ width: 20, height: 10 });
    await undoEdit(root, report.editId);
    const after = await contentOf(root);
    for (const path of Object.keys(files)) expect(after[path], path).toEqual(before[path]);
  });

  test("does one thing after another: heals, paints, turns and mirrors", async () => {
    const { pixel, report } = await edited({ "1_x/a.png": await halves().png().toBuffer() }, [
      { type: "fill", mask: await maskOf(40, 8, 10, 10), colour: "#00ff00" },
      { type: "heal", mask: await maskOf(38, 6, 14, 14) },
      { type: "fill", mask: await maskOf(60, 28, 4, 4), colour: "#ffff00" },
      { type: "turn", degrees: 90 },
      { type: "mirror" },
    ]);
    expect(report).toMatchObject({ width: 32, height: 64 });
    // (x, y) went to (31 − y, x) and was mirrored to (y, x).
    const healed = await pixel("1_x/a.png", 12, 46);
    expect(Math.max(...healed.map((value, channel) => Math.abs(value - ([220, 30, 30][channel] ?? 0))))).toBeLessThan(20);
    expect(await pixel("1_x/a.png", 30, 62)).toEqual([255, 255, 0]);
  });

  test("keeps transparency as a mask and says in the caption what is to be seen now", async () => {
    const { data } = await halves().ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    const clear = data.map((value, index) => (index % 4 === 3 && Math.floor(index / 4) % 64 < 32 ? 0 : value));
    const picture = await sharp(clear, { raw: { width: 64, height: 32, channels: 4 } })
      .png()
      .toBuffer();
    const { root, pixel } = await edited({ "1_x/a.png": picture, "1_x/a.txt": "x, transparent background, hat" }, [
      { type: "alphaToMask", colour: "#ffffff" },
    ]);
    expect(await pixel("1_x/a.png", 5, 5)).toEqual([255, 255, 255]);
    expect(await pixel("1_x/a.png", 40, 5)).toEqual([220, 30, 30]);
    expect((await pixel("1_x/masks/a.png", 5, 5))[0]).toBe(0);
    expect((await pixel("1_x/masks/a.png", 40, 5))[0]).toBe(255);
    expect(await readFile(join(root, "1_x/a.txt"), "utf8")).toBe("x, white background, simple background, hat");
  });

  test("turns upright what a camera marked, before anything else", async () => {
    const picture = await halves().jpeg({ quality: 100, chromaSubsampling: "4:4:4" }).withMetadata({ orientation: 6 }).toBuffer();
    const { report, root } = await edited(
      { "1_x/a.jpg": picture },
      [{ type: "crop", left: 0, top: 0, width: 32, height: 40 }],
      "1_x/a.jpg",
    );
    expect(report).toMatchObject({ width: 32, height: 40 });
    expect((await sharp(await readFile(join(root, "1_x/a.jpg"))).metadata()).orientation ?? 1).toBe(1);
  });

  test.each<[string, PictureOperation, string]>([
    ["a frame beyond the edge", { type: "crop", left: 60, top: 0, width: 20, height: 10 }, "64 × 32"],
    ["a mask that is no picture", { type: "heal", mask: "bm8=" }, "as a PNG"],
  ])("refuses %s with a sentence and changes nothing", async (_name, operation, words) => {
    const root = await temporaryFolder();
    await writeFiles(root, { "1_x/a.png": await halves().png().toBuffer() });
    const before = await contentOf(root);
    await expect(editPicture(root, "1_x/a.png", [operation])).rejects.toThrow(words);
    expect(Object.keys(await contentOf(root))).toEqual(Object.keys(before));
  });
});
