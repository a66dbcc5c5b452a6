import { readFile, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Post } from "../../../protocol/post.js";
import { importDataset } from "../../../server/dataset/import.js";
import { jpeg, png, temporaryFolder, writeFiles } from "./sample-pictures.js";

async function importOf(files: Record<string, string | Uint8Array>, minutes: Record<string, number> = {}) {
  const source = await temporaryFolder();
  await writeFiles(source, files);
  for (const [path, minute] of Object.entries(minutes)) await utimes(join(source, path), minute * 60, minute * 60);
  const report = await importDataset({ source, name: "set", datasetsDir: join(await temporaryFolder(), "datasets") });
  const read = (path: string) => readFile(join(report.root, path), "utf8");
  const notes = Object.fromEntries(report.notes.map(({ code, files: about }) => [code, about]));
  return { report, read, notes };
}

describe("an import of a folder of Grabber's", () => {
  test("gives two searches' pictures their own lines of the log that they share", async () => {
    const { read, notes } = await importOf(
      {
        "1.jpg": await jpeg({ seed: 1 }),
        "1.png": await png({ seed: 2 }),
        "1.txt": "fox, forest\nowl, night\n",
      },
      { "1.png": 10, "1.jpg": 20 },
    );
    expect(await read("1_set/1.jpg".replace(".jpg", ".txt"))).toBe("owl, night");
    expect(await read("1_set/1-2.txt")).toBe("fox, forest");
    expect(notes.grabber_shared_log).toEqual(["1.jpg", "1.png"]);
  });

  test("takes the newest line of a log that was appended to, and one of equal lines", async () => {
    const { read, notes } = await importOf({
      "3.jpg": await jpeg({ seed: 1 }),
      "3.txt": "deleted, bad\r\nfox, forest\r\n",
      "4.jpg": await jpeg({ seed: 2 }),
      "4.txt": "owl, night\nowl, night\n",
    });
    expect(await read("1_set/3.txt")).toBe("fox, forest");
    expect(await read("1_set/4.txt")).toBe("owl, night\nowl, night\n");
    expect(notes).toEqual({ grabber_appended_log: ["3.jpg"] });
  });

  test("says where tags lay in a.png.txt, and that names by position lose pictures", async () => {
    const files: Record<string, string | Uint8Array> = {};
    for (let index = 1; index <= 6; index++) files[`${index}.png`] = await png({ seed: index });
    const { notes, read } = await importOf({ ...files, "2.png.txt": "owl" });
    expect(notes).toEqual({ grabber_picture_log: ["2.png.txt"], grabber_positions: [] });
    expect(await read("1_set/2.txt")).toBe("owl");
  });

  test("leaves captions of several lines alone where they may be wildcards", async () => {
    const { read, notes } = await importOf({ "portrait.png": await png({ seed: 1 }), "portrait.txt": "fox\nfox in a {forest|field}\n" });
    expect(await read("1_set/portrait.txt")).toBe("fox\nfox in a {forest|field}\n");
    expect(notes).toEqual({});
  });
});

describe("an import of a folder of gallery-dl's", () => {
  test("makes captions of the tags and keeps where each picture is from", async () => {
    const danbooru = {
      category: "danbooru",
      id: 123,
      md5: "A".repeat(32),
      rating: "s",
      tags_general: ["fox_ears", "^_^", "o_o"],
      tags_artist: ["some_painter"],
      tags_character: ["moss_(series)"],
      tags_copyright: ["series"],
      tags_meta: ["highres"],
      tag_string: "fox_ears ^_^ o_o some_painter moss_(series) series highres",
      image_width: 800,
      image_height: 600,
      parent_id: null,
      source: "somewhere",
    };
    const gelbooru = {
      category: "gelbooru",
      id: "77",
      tags: "fox_ears it&#039;s",
      rating: "general",
      width: 640,
      height: 480,
      parent_id: 0,
      has_notes: "true",
    };
    const { read, report } = await importOf({
      "a.png": await png({ seed: 1 }),
      "a.png.json": JSON.stringify(danbooru),
      "b.jpg": await jpeg({ seed: 2 }),
      "b.json": JSON.stringify(gelbooru),
      "c.png": await png({ seed: 3 }),
      "c.json": JSON.stringify({ tags: ["owl"] }),
      "d.png": await png({ seed: 4 }),
      "d.txt": "my own words",
      "d.json": JSON.stringify(danbooru),
      "e.png": await png({ seed: 5 }),
      "e.json": "{broken",
    });
    expect(await read("1_set/a.txt")).toBe("moss (series), series, fox ears, ^_^, o_o");
    expect(Post.parse(JSON.parse(await read("1_set/a.json")))).toMatchObject({
      site: "danbooru",
      id: "123",
      md5: "a".repeat(32),
      rating: "sensitive",
      pageUrl: expect.stringContaining("/posts/123"),
      width: 800,
      tags: { artist: ["some painter"], meta: ["highres"] },
      parentId: null,
      hasNotes: false,
    });
    expect(await read("1_set/b.txt")).toBe("fox ears, it's");
    expect(Post.parse(JSON.parse(await read("1_set/b.json")))).toMatchObject({ rating: "general", hasNotes: true, parentId: null });
    expect(await read("1_set/c.txt")).toBe("owl");
    expect(await read("1_set/d.txt")).toBe("my own words");
    expect(report).toMatchObject({ images: 5, captions: 4, skipped: [] });
  });
});

describe("an import of sd-scripts' metadata", () => {
  test("finds each picture's caption by its path or its name", async () => {
    const { read, report, notes } = await importOf({
      "10_a/1.png": await png({ seed: 1 }),
      "10_b/1.png": await png({ seed: 2 }),
      "10_b/2.png": await png({ seed: 3 }),
      "10_b/3.png": await png({ seed: 4 }),
      "10_b/3.txt": "stays",
      "meta_cap.json": JSON.stringify({
        "/home/somebody/set/10_a/1": { caption: "a fox", tags: "fox, forest" },
        "D:\\set\\10_b\\1.png": { tags: "owl" },
        "2": { caption: ["first", "second"], train_resolution: [512, 512] },
        "3": { tags: "never" },
      }),
      "notes.json": "[1, 2]",
    });
    expect(await read("10_a/1.txt")).toBe("a fox, fox, forest");
    expect(await read("10_b/1.txt")).toBe("owl");
    expect(await read("10_b/2.txt")).toBe("first");
    expect(await read("10_b/3.txt")).toBe("stays");
    expect(notes.from_metadata).toEqual(["10_a/1.png", "10_b/1.png", "10_b/2.png"]);
    expect(report.skipped.map(({ file }) => file)).toEqual(["notes.json"]);
  });
});
