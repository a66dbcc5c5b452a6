import { readdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { thumbnail } from "../../../server/dataset/thumbnail.js";
import { drawing, png, temporaryFolder, writeFiles } from "./sample-pictures.js";

describe("a thumbnail", () => {
  test("is a small upright WebP on white, never larger than the picture", async () => {
    const root = await temporaryFolder();
    await writeFiles(root, {
      "turned.jpg": await drawing({ seed: 1, width: 400, height: 200 }).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      "clear.png": await png({ seed: 2, width: 60, height: 60, alpha: true }),
    });
    expect(await sharp(await thumbnail(join(root, "turned.jpg"), 100, join(root, "cache"))).metadata()).toMatchObject({
      format: "webp",
      width: 50,
      height: 100,
    });
    const { data, info } = await sharp(await thumbnail(join(root, "clear.png"), 256, join(root, "cache")))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 60, height: 60, channels: 3 });
    expect(Math.min(...data.subarray(0, 3))).toBeGreaterThan(245);
  });

  test("is kept, and made anew when the picture changes", async () => {
    const root = await temporaryFolder();
    const file = join(root, "a.png");
    const cache = join(root, "cache");
    await writeFile(file, await png({ seed: 1 }));
    const [first, again] = await Promise.all([thumbnail(file, 64, cache), thumbnail(file, 64, cache)]);
    expect(again).toBe(first);
    const { mtimeMs } = await stat(first);
    expect((await stat(await thumbnail(file, 64, cache))).mtimeMs).toBe(mtimeMs);
    await writeFile(file, await png({ seed: 2 }));
    await utimes(file, new Date(), new Date(Date.now() + 5000));
    expect(await thumbnail(file, 64, cache)).not.toBe(first);
  });

  test("of a picture that is gone or broken is a sentence, and leaves no file", async () => {
    const root = await temporaryFolder();
    await writeFile(join(root, "text.png"), "no picture");
    await expect(thumbnail(join(root, "nowhere.png"), 64, join(root, "cache"))).rejects.toMatchObject({ failure: { code: "not_found" } });
    await expect(thumbnail(join(root, "text.png"), 64, join(root, "cache"))).rejects.toMatchObject({ failure: { code: "not_found" } });
    expect(await readdir(root)).toEqual(["text.png"]);
  });
});
