import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { fixDataset } from "../../../server/dataset/fix.js";
import { scanDataset } from "../../../server/dataset/scan.js";
import { undoEdit } from "../../../server/dataset/undo.js";
import { contentOf, drawing, jpeg, png, temporaryFolder, writeFiles } from "./sample-pictures.js";

async function folderOf(files: Record<string, string | Uint8Array>): Promise<string> {
  const root = await temporaryFolder();
  await writeFiles(root, files);
  return root;
}

const text = (root: string, path: string) => readFile(join(root, path), "utf8");

async function messyFolder(): Promise<string> {
  return await folderOf({
    "clear.png": await png({ seed: 1, alpha: true }),
    "clear.txt": "solo, transparent_background, simple background, commentary request",
    "wide.jpg": await jpeg({ seed: 2, width: 400, height: 80 }),
    "wide.txt": Buffer.from("\uFEFFmossling, solo"),
    "turned.jpg": await drawing({ seed: 3 }).withMetadata({ orientation: 8 }).jpeg().toBuffer(),
    "turned.txt": "mossling (winter coat), official alternate costume, solo",
    "same.png": await png({ seed: 4 }),
    "same.txt": "mossling, highres",
    "same small.jpg": await drawing({ seed: 4 }).resize(100).jpeg().toBuffer(),
    "same small.txt": "mossling",
    "moving.gif": await drawing({ seed: 5 }).gif().toBuffer(),
    "moving.gif.txt": "a &amp; b,, b ,A & B\nsolo",
    "bare.webp": await drawing({ seed: 6, alpha: true }).webp().toBuffer(),
    "empty.png": await png({ seed: 7 }),
    "empty.txt": "",
    "russian.png": await png({ seed: 8 }),
    "russian.txt": Buffer.from([0xf0, 0xfb, 0xe6, 0xe8, 0xe5, 0x20, 0xe2, 0xee, 0xeb, 0xee, 0xf1, 0xfb]),
  });
}

describe("a fix", () => {
  test("leaves nothing that it could have fixed, and a second one changes nothing", async () => {
    const root = await messyFolder();
    const report = await fixDataset(root, { triggerWord: "mossling" });
    expect(report.editId).not.toBeNull();
    const after = await scanDataset(root);
    expect(after.problems).toEqual([]);
    expect(after.triggerWord).toBe("mossling");
    expect(Object.fromEntries(after.images.map(({ id, caption }) => [id, caption]))).toEqual({
      "bare.webp": "mossling",
      "clear.png": "mossling, solo, white background, simple background",
      "empty.png": "mossling",
      "moving.png": "mossling, a & b, b, solo",
      "russian.png": "mossling, рыжие волосы",
      "same.png": "mossling",
      "turned.jpg": "mossling, solo",
      "wide.jpg": "mossling, solo",
    });
    const content = await contentOf(root);
    expect(await fixDataset(root)).toEqual({ editId: null, dryRun: false, changes: [] });
    expect(await contentOf(root)).toEqual(content);
  });

  test("fills transparency with white and never shows the hidden colour", async () => {
    const root = await folderOf({ "a.png": await png({ seed: 1, alpha: true }), "a.txt": "solo, transparent background" });
    await fixDataset(root);
    const { data, info } = await sharp(join(root, "a.png")).raw().toBuffer({ resolveWithObject: true });
    expect(info.channels).toBe(3);
    expect([...data.subarray(0, 3)]).toEqual([255, 255, 255]);
    expect(await text(root, "a.txt")).toBe("solo, white background, simple background");
  });

  test("keeps the tag when nothing was transparent", async () => {
    const root = await folderOf({ "a.png": await png({ seed: 1 }), "a.txt": "solo, transparent background" });
    expect((await fixDataset(root)).changes).toEqual([]);
  });

  test("crops a strip to 3:1 without scaling it", async () => {
    const root = await folderOf({
      "wide.png": await png({ seed: 1, width: 500, height: 90 }),
      "tall.png": await png({ seed: 2, width: 70, height: 400 }),
    });
    await fixDataset(root);
    expect((await scanDataset(root)).images).toMatchObject([
      { id: "tall.png", width: 70, height: 210 },
      { id: "wide.png", width: 270, height: 90 },
    ]);
  });

  test("turns the pixels of a picture that was only marked as turned", async () => {
    const root = await folderOf({
      "a.jpg": await drawing({ seed: 1, width: 200, height: 100 }).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    });
    await fixDataset(root);
    expect(await sharp(join(root, "a.jpg")).metadata()).toMatchObject({ width: 100, height: 200 });
    expect((await sharp(join(root, "a.jpg")).metadata()).orientation).toBeUndefined();
  });

  test("told as a dry run names the same changes and writes nothing", async () => {
    const root = await messyFolder();
    const before = await contentOf(root);
    const dry = await fixDataset(root, { triggerWord: "mossling", dryRun: true });
    expect(dry).toMatchObject({ editId: null, dryRun: true });
    expect(await contentOf(root)).toEqual(before);
    expect((await scanDataset(root)).triggerWord).toBe("");
    expect((await fixDataset(root, { triggerWord: "mossling" })).changes).toEqual(dry.changes);
  });

  test("does only the codes and the pictures that were asked for", async () => {
    const files = {
      "a.png": await png({ seed: 1 }),
      "a.txt": "absurdres, long_hair",
      "b.png": await png({ seed: 2 }),
      "b.txt": "absurdres, long_hair",
    };
    const root = await folderOf(files);
    await fixDataset(root, { only: ["junk_tags"], images: ["b.png"] });
    expect(await text(root, "a.txt")).toBe("absurdres, long_hair");
    expect(await text(root, "b.txt")).toBe("long_hair");
  });

  test("keeps both names apart when a converted picture would take another's", async () => {
    const root = await folderOf({ "a.gif": await drawing({ seed: 1 }).gif().toBuffer(), "a.png": await png({ seed: 2 }), "a.txt": "solo" });
    await fixDataset(root);
    expect((await scanDataset(root)).images).toMatchObject([
      { id: "a-2.png", caption: "solo" },
      { id: "a.png", caption: "solo" },
    ]);
  });

  test("leaves a caption alone that a kept picture still uses", async () => {
    const root = await folderOf({
      "a.png": await png({ seed: 1, width: 300, height: 200 }),
      "a.jpg": await jpeg({ seed: 1 }),
      "a.txt": "solo",
    });
    await fixDataset(root);
    expect(Object.keys(await contentOf(root))).toEqual(["a.png", "a.txt"]);
  });

  test("keeps brackets of a trigger word and refuses one with a comma", async () => {
    const root = await folderOf({ "a.png": await png({ seed: 1 }), "a.txt": "1girl, Saber \\(Fate\\)" });
    await fixDataset(root, { triggerWord: "saber (fate)" });
    expect(await text(root, "a.txt")).toBe("saber (fate), 1girl");
    await expect(fixDataset(root, { triggerWord: "a, b" })).rejects.toMatchObject({ failure: { code: "bad_request" } });
  });

  test("of whatever captions there are leaves nothing fixable behind, and is undone byte for byte", async () => {
    const tag = fc.constantFrom(
      "mossling",
      "Mossling",
      "long_hair",
      "highres",
      "a  b",
      "transparent background",
      "x (cosplay)",
      "&amp;lt;3",
      "\\(o\\)",
      "",
      " ",
      "solo",
      "absurdres，",
      "^_^",
      "signature",
      "foo (bar) (baz)",
    );
    const caption = fc
      .array(tag, { maxLength: 6 })
      .chain((tags) => fc.constantFrom(",", ", ", " ,", "\r\n").map((separator) => tags.join(separator)));
    const pictures = await Promise.all([1, 2, 3].map((seed) => png({ seed, width: 64, height: 64, alpha: true })));
    const run = fc.asyncProperty(
      fc.array(caption, { minLength: 1, maxLength: 3 }),
      fc.constantFrom("", "mossling", "long_hair"),
      async (captions, triggerWord) => {
        const root = await temporaryFolder();
        for (const [index, words] of captions.entries())
          await writeFiles(root, { [`${index}/a.png`]: pictures[index] ?? "", [`${index}/a.txt`]: words });
        const before = await contentOf(root);
        await fixDataset(root, { triggerWord });
        expect((await scanDataset(root)).problems.filter(({ fixable }) => fixable)).toEqual([]);
        expect((await fixDataset(root)).changes).toEqual([]);
        await undoEdit(root);
        expect(await contentOf(root)).toEqual(before);
      },
    );
    await fc.assert(run, { numRuns: 8, seed: 5 });
  });

  test("leaves no staged files among the originals", async () => {
    const root = await messyFolder();
    const { editId } = await fixDataset(root, { triggerWord: "mossling" });
    expect((await readdir(join(root, ".originals", editId ?? ""))).sort()).toEqual(["entries.json", "files", "journal.json", "texts"]);
  });
});
