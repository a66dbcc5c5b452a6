import { rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { Dataset, ProblemCode } from "../../../protocol/dataset.js";
import { setTriggerWord } from "../../../server/dataset/edit.js";
import { scanDataset } from "../../../server/dataset/scan.js";
import { drawing, jpeg, png, pngHeader, temporaryFolder, writeFiles } from "./sample-pictures.js";

async function scanOf(files: Record<string, string | Uint8Array>, triggerWord = ""): Promise<Dataset> {
  const root = await temporaryFolder();
  await writeFiles(root, files);
  if (triggerWord !== "") await setTriggerWord(root, triggerWord);
  return await scanDataset(root);
}

function problem(dataset: Dataset, code: ProblemCode) {
  return dataset.problems.find((found) => found.code === code);
}

describe("a scan of a folder", () => {
  test("that is absent, a file, or without pictures is refused with a code and a sentence", async () => {
    const root = await temporaryFolder();
    await writeFiles(root, { "notes.md": "x", ".hidden/a.png": await png({ seed: 1 }) });
    await expect(scanDataset(join(root, "nowhere"))).rejects.toMatchObject({ failure: { code: "dataset_not_found" } });
    await expect(scanDataset(join(root, "notes.md"))).rejects.toMatchObject({ failure: { code: "dataset_not_found" } });
    await expect(scanDataset(root)).rejects.toMatchObject({
      failure: { code: "dataset_empty", message: expect.stringMatching(/Expected pictures/) },
    });
  });

  test("finds masks beside their pictures and asks no trigger word of regularisation pictures", async () => {
    const picture = await png({ seed: 1 });
    const dataset = await scanOf(
      {
        "10_x/a.png": picture,
        "10_x/a.txt": "zorp, hat",
        "10_x/masks/a.png": await png({ seed: 2 }),
        "10_x/b.png": await png({ seed: 3 }),
        "10_x/b.txt": "hat",
        "reg/1_girl/c.png": await png({ seed: 4 }),
        "reg/1_girl/c.txt": "1girl",
      },
      "zorp",
    );
    expect(dataset.images.map(({ id, mask }) => [id, mask])).toEqual([
      ["10_x/a.png", "10_x/masks/a.png"],
      ["10_x/b.png", undefined],
      ["reg/1_girl/c.png", undefined],
    ]);
    expect(problem(dataset, "trigger_not_first")?.images).toEqual(["10_x/b.png"]);
  });

  test("knows kohya's folders, folders in them, other folders and loose pictures", async () => {
    const dataset = await scanOf({
      "10_lantern keeper/a.png": await png({ seed: 1 }),
      "10_lantern keeper/more/b.JPG": await jpeg({ seed: 2 }),
      "weak/c.WebP": await drawing({ seed: 3 }).webp().toBuffer(),
      "d.png": await png({ seed: 4 }),
      ".trash/e.png": await png({ seed: 5 }),
    });
    expect(dataset.subsets).toEqual([
      { name: ".", repeats: 1, classTokens: "", images: 1 },
      { name: "10_lantern keeper", repeats: 10, classTokens: "lantern keeper", images: 1 },
      { name: "10_lantern keeper/more", repeats: 10, classTokens: "lantern keeper", images: 1 },
      { name: "weak", repeats: 1, classTokens: "", images: 1 },
    ]);
    expect(dataset.images.map(({ id }) => id)).toEqual(["10_lantern keeper/a.png", "10_lantern keeper/more/b.JPG", "d.png", "weak/c.WebP"]);
  });

  test("does not follow links", async () => {
    const root = await temporaryFolder();
    const elsewhere = await temporaryFolder();
    await writeFiles(elsewhere, { "secret.png": await png({ seed: 1 }) });
    await writeFiles(root, { "a.png": await png({ seed: 2 }) });
    await symlink(join(elsewhere, "secret.png"), join(root, "b.png"));
    await symlink(elsewhere, join(root, "folder"));
    expect((await scanDataset(root)).images.map(({ id }) => id)).toEqual(["a.png"]);
  });

  test("tells size after orientation, format, hash and transparency of one single pixel", async () => {
    const pixels = Buffer.alloc(300 * 200 * 4, 255);
    pixels[4 * 12_345 + 3] = 254;
    const dataset = await scanOf({
      "opaque.png": await drawing({ seed: 1 }).ensureAlpha().png().toBuffer(),
      "pixel.png": await sharp(pixels, { raw: { width: 300, height: 200, channels: 4 } })
        .png()
        .toBuffer(),
      "turned.jpg": await drawing({ seed: 2, width: 200, height: 120 }).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    });
    expect(dataset.images).toMatchObject([
      { id: "opaque.png", format: "png", width: 160, height: 120, transparent: false },
      { id: "pixel.png", width: 300, height: 200, transparent: true },
      { id: "turned.jpg", format: "jpeg", width: 120, height: 200, phash: expect.stringMatching(/^[0-9a-f]{16}$/) },
    ]);
    expect(problem(dataset, "transparent")?.images).toEqual(["pixel.png"]);
    expect(problem(dataset, "exif_orientation")?.images).toEqual(["turned.jpg"]);
  });

  test("judges by content: text, cut-off, huge, tiny, long and foreign files each get their code", async () => {
    const whole = await jpeg({ seed: 3, width: 400, height: 300 });
    const dataset = await scanOf({
      "text.png": "not a picture at all",
      "empty.jpg": "",
      "cut.jpg": whole.subarray(0, whole.length * 0.6),
      "cut.png": (await png({ seed: 5 })).subarray(0, 200),
      "cut.webp": (await drawing({ seed: 5 }).webp().toBuffer()).subarray(0, 100),
      "huge.png": pngHeader(40_000, 40_000),
      "tiny.png": await png({ seed: 6, width: 40, height: 90 }),
      "long.png": await png({ seed: 7, width: 301, height: 100 }),
      "threetoone.png": await png({ seed: 8, width: 300, height: 100 }),
      "moving.gif": await drawing({ seed: 9 }).gif().toBuffer(),
      "drawn.svg": '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
      "svg.png": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
      "old.bmp": Buffer.from(`424d${"00".repeat(12)}28000000${"01000000".repeat(9)}`, "hex"),
      "really.png": await jpeg({ seed: 10 }),
    });
    const codes = Object.fromEntries(dataset.images.map(({ id, problems }) => [id, problems.filter((code) => code !== "no_caption")]));
    expect(codes).toEqual({
      "text.png": ["not_an_image"],
      "empty.jpg": ["not_an_image"],
      "cut.jpg": ["truncated"],
      "cut.png": ["truncated"],
      "cut.webp": ["truncated"],
      "huge.png": ["too_large"],
      "tiny.png": ["too_small"],
      "long.png": ["beyond_3_to_1"],
      "threetoone.png": [],
      "moving.gif": ["unsupported_format"],
      "drawn.svg": ["unsupported_format"],
      "svg.png": ["unsupported_format"],
      "old.bmp": ["unsupported_format"],
      "really.png": [],
    });
    for (const { message } of dataset.problems) expect(message).toMatch(/^[A-Z1-9].*\.$/s);
    expect(problem(dataset, "too_large")).toMatchObject({
      fixable: false,
      severity: "error",
      message: expect.stringContaining("40000 × 40000"),
    });
  });

  test("refuses a 40,000 × 40,000 header without decoding it", async () => {
    const root = await temporaryFolder();
    await writeFiles(root, { "huge.png": pngHeader(40_000, 40_000) });
    const began = performance.now();
    await scanDataset(root);
    expect(performance.now() - began).toBeLessThan(500);
  });

  test("finds repetitions, smaller or mirrored, and names the pairs; other pictures are left in peace", async () => {
    const dataset = await scanOf({
      "a.png": await png({ seed: 1, width: 320, height: 240 }),
      "small.jpg": await drawing({ seed: 1, width: 320, height: 240 }).resize(200).jpeg({ quality: 70 }).toBuffer(),
      "flopped.png": await drawing({ seed: 1, width: 320, height: 240 }).flop().resize(160).png().toBuffer(),
      "other.png": await png({ seed: 2, width: 320, height: 240 }),
    });
    expect(problem(dataset, "near_duplicate")).toMatchObject({ images: ["flopped.png", "small.jpg"], fixable: true });
    expect(problem(dataset, "near_duplicate")?.message).toMatch(/flopped\.png mirrors a\.png.*small\.jpg repeats a\.png/);
  });

  test("does not take pictures of one tone in different colours for repetitions", async () => {
    const flat = (r: number, g: number, b: number) =>
      sharp({ create: { width: 100, height: 100, channels: 3, background: { r, g, b } } })
        .png()
        .toBuffer();
    const dataset = await scanOf({
      "a.png": await flat(200, 10, 10),
      "b.png": await flat(10, 10, 200),
      "c.png": await flat(10, 200, 10),
      "d.png": await flat(10, 200, 10),
    });
    expect(problem(dataset, "near_duplicate")?.images).toEqual(["d.png"]);
  });

  test("believes what it found before as long as a picture's time and size stay", async () => {
    const root = await temporaryFolder();
    await writeFiles(root, { "a.png": await png({ seed: 1 }), "b.png": await png({ seed: 2 }) });
    const first = await scanDataset(root);
    expect(await scanDataset(root)).toEqual(first);
    await writeFile(join(root, "a.png"), await png({ seed: 3, width: 100, height: 100 }));
    await utimes(join(root, "a.png"), new Date(), new Date(Date.now() + 5000));
    await rm(join(root, "b.png"));
    expect((await scanDataset(root)).images).toMatchObject([{ id: "a.png", width: 100 }]);
  });

  test("tells how far it is", async () => {
    const root = await temporaryFolder();
    await writeFiles(root, { "a.png": await png({ seed: 1 }), "b.png": await png({ seed: 2 }) });
    const seen: number[] = [];
    await scanDataset(root, { onProgress: ({ done, total }) => seen.push(done / total) });
    expect(seen).toEqual([0.5, 1]);
  });
});

describe("a scan of captions", () => {
  test("reads .txt, .caption and Grabber's a.png.txt, whatever the case", async () => {
    const dataset = await scanOf({
      "a.png": await png({ seed: 1 }),
      "a.TXT": "one",
      "b.png": await png({ seed: 2 }),
      "b.caption": "two",
      "c.png": await png({ seed: 3 }),
      "c.png.txt": "three",
      "d.png": await png({ seed: 4 }),
    });
    expect(dataset.images.map(({ caption }) => caption)).toEqual(["one", "two", "three", null]);
    expect(problem(dataset, "no_caption")).toMatchObject({ images: ["d.png"], fixable: false });
    expect(problem(dataset, "caption_lint")?.images).toEqual(["c.png"]);
  });

  test("names the encoding of captions that are not UTF-8 and still reads them", async () => {
    const cp1251 = Buffer.from([
      0xf0, 0xfb, 0xe6, 0xe8, 0xe5, 0x20, 0xe2, 0xee, 0xeb, 0xee, 0xf1, 0xfb, 0x2c, 0x20, 0x31, 0x67, 0x69, 0x72, 0x6c,
    ]);
    const dataset = await scanOf({
      "a.png": await png({ seed: 1 }),
      "a.txt": cp1251,
      "b.png": await png({ seed: 2 }),
      "b.txt": Buffer.from("\uFEFF1girl, рыжие волосы", "utf16le"),
      "c.png": await png({ seed: 3 }),
      "c.txt": Buffer.from("\uFEFF1girl, solo"),
      "d.png": await png({ seed: 4 }),
      "d.txt": Buffer.from("1girl, caf\u00e9", "latin1"),
    });
    expect(dataset.images.map(({ caption }) => caption)).toEqual([
      "рыжие волосы, 1girl",
      "1girl, рыжие волосы",
      "1girl, solo",
      "1girl, café",
    ]);
    expect(problem(dataset, "caption_encoding")).toMatchObject({
      images: ["a.png", "b.png", "d.png"],
      message: expect.stringMatching(/a\.txt is in CP1251.*b\.txt is in UTF-16.*d\.txt is in CP1252/),
    });
    expect(problem(dataset, "caption_bom")?.images).toEqual(["c.png"]);
  });

  test("finds every kind of untidy caption, and the trigger word's place only when one is known", async () => {
    const captions: Record<string, [string, ProblemCode[]]> = {
      fine: ["lantern_keeper, 1girl, solo, ^_^", []],
      fineLine: ["lantern_keeper, 1girl\n", []],
      empty: [" \n", ["empty_caption"]],
      lines: ["lantern_keeper, 1girl\r\nsolo", ["caption_multi_line"]],
      twice: ["lantern_keeper, 1girl, 1girl", ["caption_lint"]],
      underscores: ["lantern_keeper, long_hair", ["caption_lint"]],
      entity: ["lantern_keeper, don&#039;t", ["caption_lint"]],
      brackets: ["lantern_keeper, saber \\(fate\\)", ["caption_lint"]],
      junk: ["lantern_keeper, absurdres, signature", ["junk_tags"]],
      costume: ["lantern_keeper, official alternate costume", ["costume_tags"]],
      last: ["1girl, lantern_keeper", ["trigger_not_first"]],
      missing: ["1girl", ["trigger_not_first"]],
    };
    const files: Record<string, string | Uint8Array> = {};
    for (const [index, [name, [text]]] of Object.entries(captions).entries()) {
      files[`${name}.png`] = await png({ seed: index });
      files[`${name}.txt`] = text;
    }
    const dataset = await scanOf(files, "lantern_keeper");
    const found = Object.fromEntries(dataset.images.map(({ id, problems }) => [id.slice(0, -4), problems]));
    expect(found).toEqual(Object.fromEntries(Object.entries(captions).map(([name, [, codes]]) => [name, codes])));
    expect(problem(dataset, "junk_tags")?.message).toMatch(/"absurdres".*Tags about text in the picture stay \("signature"\)/);
    expect(problem(await scanOf(files), "trigger_not_first")).toBeUndefined();
  });
});
