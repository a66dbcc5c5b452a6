import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkDatasetName, safeName } from "../../../server/dataset/file-name.js";
import { importDataset } from "../../../server/dataset/import.js";
import { IMPORT_LIMITS, type ImportLimits } from "../../../server/dataset/import-source.js";
import { scanDataset } from "../../../server/dataset/scan.js";
import { listDatasets, summarize } from "../../../server/dataset/summary.js";
import { contentOf, drawing, jpeg, png, temporaryFolder, writeFiles } from "./sample-pictures.js";
import { zipOf } from "./zip-of.js";

async function importOf(files: Record<string, string | Uint8Array>, name = "set") {
  const source = await temporaryFolder();
  const datasetsDir = join(await temporaryFolder(), "datasets");
  await writeFiles(source, files);
  const before = await contentOf(source);
  const report = await importDataset({ source, name, datasetsDir });
  expect(await contentOf(source)).toEqual(before);
  return {
    report,
    datasetsDir,
    paths: Object.keys(await contentOf(report.root)),
    reasons: Object.fromEntries(report.skipped.map(({ file, reason }) => [file, reason])),
  };
}

async function zipped(entries: Parameters<typeof zipOf>[0], limits: ImportLimits = IMPORT_LIMITS) {
  const folder = await temporaryFolder();
  const source = join(folder, "pictures.zip");
  await writeFile(source, zipOf(entries));
  return {
    datasetsDir: join(folder, "datasets"),
    run: () => importDataset({ source, name: "set", datasetsDir: join(folder, "datasets"), limits }),
  };
}

describe("an import of a folder", () => {
  test("keeps masks beside their pictures and regularisation pictures apart", async () => {
    const { paths, report } = await importOf({
      "10_x/a.png": await png({ seed: 1 }),
      "10_x/a.txt": "x",
      "10_x/masks/A.png": await png({ seed: 2 }),
      "10_x/masks/lonely.png": await png({ seed: 3 }),
      "reg/2_girl/b.png": await png({ seed: 4 }),
    });
    expect(paths.filter((path) => !path.startsWith("."))).toEqual(
      ["10_x/a.png", "10_x/a.txt", "10_x/lonely.png", "10_x/masks/a.png", "reg/2_girl/b.png"].sort(),
    );
    const dataset = await scanDataset(report.root);
    expect(dataset.subsets.map(({ name, images }) => [name, images])).toEqual([
      ["10_x", 2],
      ["reg/2_girl", 1],
    ]);
    expect(dataset.images[0]?.mask).toBe("10_x/masks/a.png");
  });

  test("puts loose pictures and other folders into kohya's layout and keeps kohya's own folders", async () => {
    const { report, paths } = await importOf({
      "a.PNG": await png({ seed: 1 }),
      "a.txt": "solo",
      "10_good/b.jpeg": await jpeg({ seed: 2 }),
      "10_good/b.caption": "good",
      "10_good/more/c.png": await png({ seed: 3 }),
      "weak/old/d.webp": await drawing({ seed: 4 }).webp().toBuffer(),
    });
    expect(paths).toEqual(["10_good/b.jpg", "10_good/b.txt", "10_good/c.png", "1_set/a.png", "1_set/a.txt", "1_weak old/d.webp"]);
    expect(report).toMatchObject({ name: "set", images: 4, captions: 2, skipped: [] });
    expect((await scanDataset(report.root)).images.length).toBe(4);
  });

  test("takes Grabber's a.png.txt, and gives two pictures of one base name a caption each", async () => {
    const { report, paths } = await importOf({
      "1.jpg": await jpeg({ seed: 1 }),
      "1.png": await png({ seed: 2 }),
      "1.txt": "shared",
      "2.png": await png({ seed: 3 }),
      "2.png.txt": "own",
      "2.jpg": await jpeg({ seed: 4 }),
      "3.txt": "nobody's",
    });
    expect(paths).toEqual([
      "1_set/1-2.png",
      "1_set/1-2.txt",
      "1_set/1.jpg",
      "1_set/1.txt",
      "1_set/2-2.png",
      "1_set/2-2.txt",
      "1_set/2.jpg",
    ]);
    expect(await readFile(join(report.root, "1_set/1-2.txt"), "utf8")).toBe("shared");
    expect(report.skipped).toEqual([{ file: "3.txt", reason: expect.stringContaining("No picture") }]);
  });

  test("converts what trainers don't read and says why it leaves the rest", async () => {
    const source = {
      "moving.gif": await drawing({ seed: 1 }).gif().toBuffer(),
      "scan.tiff": await drawing({ seed: 2 }).tiff().toBuffer(),
      "new.avif": await drawing({ seed: 3 }).avif().toBuffer(),
      "wrong.png": await jpeg({ seed: 4 }),
      "old.bmp": Buffer.from(`424d${"00".repeat(12)}28000000${"01000000".repeat(9)}`, "hex"),
      "text.png": "no picture",
      "empty.png": "",
      "drawn.svg": "<svg/>",
      "movie.mp4": "x",
      "Thumbs.db": "x",
    };
    const { paths, reasons } = await importOf(source);
    expect(paths).toEqual(["1_set/moving.png", "1_set/new.png", "1_set/scan.png", "1_set/wrong.jpg"]);
    expect(Object.keys(reasons).sort()).toEqual(["drawn.svg", "empty.png", "movie.mp4", "old.bmp", "text.png"]);
    for (const reason of Object.values(reasons)) expect(reason).toMatch(/^[A-Z].*\.$/);
  });

  test("gives names that every system accepts", async () => {
    const { paths } = await importOf({
      "con.png": await png({ seed: 1 }),
      "e\u0301te\u0301.png": await png({ seed: 2 }),
      "a:b?.png": await png({ seed: 3 }),
      "AUX.jpg": await jpeg({ seed: 4 }),
    });
    expect(paths).toEqual(["1_set/_AUX.jpg", "1_set/_con.png", "1_set/a_b_.png", "1_set/\u00e9t\u00e9.png"]);
  });

  test("follows no links", async () => {
    const source = await temporaryFolder();
    const outside = await temporaryFolder();
    await writeFiles(outside, { "secret.png": await png({ seed: 1 }) });
    await writeFiles(source, { "a.png": await png({ seed: 2 }) });
    await symlink(join(outside, "secret.png"), join(source, "link.png"));
    const report = await importDataset({ source, name: "set", datasetsDir: join(outside, "datasets") });
    expect(report).toMatchObject({ images: 1, skipped: [{ file: "link.png" }] });
  });

  test("refuses a taken name in any case, a name that is no folder, an absent or empty source, and leaves nothing behind", async () => {
    const { datasetsDir } = await importOf({ "a.png": await png({ seed: 1 }) }, "Miku");
    const source = await temporaryFolder();
    const run = (name: string, from = source) => importDataset({ source: from, name, datasetsDir });
    await writeFiles(source, { "text.png": "no picture", "a.txt": "x", "data.rar": "x" });
    await expect(run("miku")).rejects.toMatchObject({ failure: { code: "dataset_exists" } });
    for (const name of ["", "a/b", "..", ".hidden", "con", "a\\b", "x.", "x".repeat(300)]) {
      await expect(run(name)).rejects.toMatchObject({ failure: { code: "bad_request" } });
    }
    await expect(run("new", join(source, "nowhere"))).rejects.toMatchObject({ failure: { code: "dataset_not_found" } });
    await expect(run("new")).rejects.toMatchObject({ failure: { code: "dataset_empty", message: expect.stringContaining("text.png") } });
    await expect(run("new", join(source, "data.rar"))).rejects.toMatchObject({ failure: { code: "bad_request" } });
    expect(await readdir(datasetsDir)).toEqual(["Miku"]);
    expect(await listDatasets(datasetsDir)).toEqual(["Miku"]);
  });

  test("clears away what an import of a dead process left, and lists no such remains", async () => {
    const { datasetsDir } = await importOf({ "a.png": await png({ seed: 1 }) });
    await mkdir(join(datasetsDir, `.importing-${2 ** 22 + 1}-aabbccdd`));
    const source = await temporaryFolder();
    await writeFiles(source, { "a.png": await png({ seed: 1 }) });
    await importDataset({ source, name: "other", datasetsDir });
    expect((await readdir(datasetsDir)).sort()).toEqual(["other", "set"]);
  });

  test("is summed up in one line", async () => {
    const { report } = await importOf({ "a.png": await png({ seed: 1, alpha: true }), "a.txt": "long_hair" });
    expect(summarize(await scanDataset(report.root))).toEqual({ name: "set", images: 1, problems: 1, triggerWord: "" });
    expect(await listDatasets(join(report.root, "nowhere"))).toEqual([]);
  });
});

describe("an import of a zip", () => {
  test("unpacks pictures and captions, without the folder that packers put round them", async () => {
    const { run } = await zipped([
      { name: "my set/8_good/a.png", content: await png({ seed: 1 }) },
      { name: "my set/8_good/a.txt", content: Buffer.from("solo") },
      { name: "__MACOSX/my set/._a.png", content: Buffer.from("x") },
      { name: "my set/readme.md", content: Buffer.from("x") },
    ]);
    const report = await run();
    expect(Object.keys(await contentOf(report.root))).toEqual(["8_good/a.png", "8_good/a.txt"]);
    expect(report).toMatchObject({ images: 1, captions: 1, skipped: [{ file: "my set/readme.md" }] });
  });

  test("refuses paths that leave the folder and leaves nothing behind", async () => {
    for (const name of ["../evil.png", "a/../../evil.png", "/evil.png", "C:\\evil.png", "..\\evil.png"]) {
      const { run, datasetsDir } = await zipped([
        { name: "a.png", content: await png({ seed: 1 }) },
        { name, content: await png({ seed: 2 }) },
      ]);
      await expect(run()).rejects.toMatchObject({ failure: { code: "bad_request" } });
      expect(await readdir(datasetsDir)).toEqual([]);
    }
  });

  test("leaves links, encrypted files and bombs behind, and stops at its limits", async () => {
    const bomb = Buffer.alloc(3_000_000);
    const { run } = await zipped([
      { name: "a.png", content: await png({ seed: 1 }) },
      { name: "link.png", content: Buffer.from("/etc/passwd"), mode: 0o120777 },
      { name: "secret.png", content: Buffer.from("x"), encrypted: true },
      { name: "bomb.png", content: bomb, deflate: true },
    ]);
    expect((await run()).skipped.map(({ file }) => file).sort()).toEqual(["bomb.png", "link.png", "secret.png"]);
    const many = await zipped(
      [
        { name: "a.png", content: await png({ seed: 1 }) },
        { name: "b.png", content: await png({ seed: 2 }) },
      ],
      { ...IMPORT_LIMITS, files: 1 },
    );
    await expect(many.run()).rejects.toMatchObject({ failure: { code: "bad_request" } });
    const large = await zipped([{ name: "a.png", content: await png({ seed: 1 }) }], { ...IMPORT_LIMITS, totalBytes: 100 });
    await expect(large.run()).rejects.toMatchObject({ failure: { code: "bad_request" } });
  });

  test("that lies about its sizes or is cut off is refused as a whole", async () => {
    const lying = await zipped([
      { name: "a.png", content: Buffer.concat([await png({ seed: 1 }), Buffer.alloc(500_000)]), deflate: true, claimedSize: 1000 },
    ]);
    await expect(lying.run()).rejects.toMatchObject({ failure: { code: "bad_request" } });
    expect(await readdir(lying.datasetsDir)).toEqual([]);
    const folder = await temporaryFolder();
    await writeFile(join(folder, "cut.zip"), zipOf([{ name: "a.png", content: await png({ seed: 1 }) }]).subarray(0, 400));
    await expect(importDataset({ source: join(folder, "cut.zip"), name: "x", datasetsDir: join(folder, "d") })).rejects.toMatchObject({
      failure: { code: "bad_request" },
    });
  });
});

test("a picture's name becomes one that is safe, a data set's name has to be", () => {
  expect(["nul.txt", "..", "a\u0000b", "x. ", "COM1.png", "comma"].map(safeName)).toEqual([
    "_nul.txt",
    "_",
    "a_b",
    "x",
    "_COM1.png",
    "comma",
  ]);
  expect(checkDatasetName(" lantern keeper ")).toBe("lantern keeper");
});
