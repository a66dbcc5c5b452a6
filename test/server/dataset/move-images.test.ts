import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { applyMoves } from "../../../protocol/sorting.js";
import { begunFile, readEntries, readJournals, writeJournal } from "../../../server/dataset/journal.js";
import { moveImages, rejectImages } from "../../../server/dataset/move-images.js";
import { scanDataset } from "../../../server/dataset/scan.js";
import { undoEdit } from "../../../server/dataset/undo.js";
import { contentOf, jpeg, png, temporaryFolder, writeFiles } from "./sample-pictures.js";

async function folder(): Promise<string> {
  const root = await temporaryFolder();
  await writeFiles(root, {
    "6_x/a.png": await png({ seed: 1 }),
    "6_x/a.txt": "x, solo",
    "6_x/a.json": "{}",
    "6_x/masks/a.png": await png({ seed: 9 }),
    "6_x/b.jpg": await jpeg({ seed: 2 }),
    "6_x/b.jpg.txt": "x, hat",
    "6_x/c.png": await png({ seed: 3 }),
    "6_x/c.jpg": await jpeg({ seed: 4 }),
    "6_x/c.txt": "x, shared",
    "3_x weak/a.png": await png({ seed: 5 }),
    "3_x weak/a.txt": "x, other",
  });
  return root;
}

describe("moving pictures to another subset", () => {
  test("takes along captions, masks and sidecars, and is undone byte for byte", async () => {
    const root = await folder();
    const before = await contentOf(root);
    const { moves, editId } = await moveImages(root, ["6_x/a.png", "6_x/b.jpg"], "2_new");
    expect(moves).toEqual([
      { from: "6_x/a.png", to: "2_new/a.png" },
      { from: "6_x/b.jpg", to: "2_new/b.jpg" },
    ]);
    expect((await readdir(join(root, "2_new"), { recursive: true })).sort()).toEqual(
      ["a.json", "a.png", "a.txt", "b.jpg", "b.jpg.txt", "masks", join("masks", "a.png")].sort(),
    );
    expect(Object.values(await contentOf(root)).sort()).toEqual(Object.values(before).sort());
    expect(await undoEdit(root)).toEqual({ undone: editId });
    expect(await contentOf(root)).toEqual(before);
  });

  test("never writes over a picture or a caption of the same name", async () => {
    const root = await folder();
    const { moves } = await moveImages(root, ["6_x/a.png"], "3_x weak");
    expect(moves).toEqual([{ from: "6_x/a.png", to: "3_x weak/a-2.png" }]);
    const after = await contentOf(root);
    expect(Buffer.from(after["3_x weak/a-2.txt"] ?? "", "base64").toString()).toBe("x, solo");
    expect(Buffer.from(after["3_x weak/a.txt"] ?? "", "base64").toString()).toBe("x, other");
  });

  test("leaves a caption that another picture needs, and copies it", async () => {
    const root = await folder();
    await moveImages(root, ["6_x/c.png"], "3_x weak");
    const captions = Object.fromEntries((await scanDataset(root)).images.map(({ id, caption }) => [id, caption]));
    expect(captions).toMatchObject({ "6_x/c.jpg": "x, shared", "3_x weak/c.png": "x, shared" });
    const both = await folder();
    await moveImages(both, ["6_x/c.png", "6_x/c.jpg"], "3_x weak");
    expect((await readdir(join(both, "3_x weak"))).sort()).toEqual(["a.png", "a.txt", "c-2.jpg", "c-2.txt", "c.png", "c.txt"]);
    expect(await readdir(join(both, "6_x"))).not.toContain("c.txt");
  });

  test("does nothing to pictures that are there, and nothing at all when one is missing", async () => {
    const root = await folder();
    const before = await contentOf(root);
    expect(await moveImages(root, ["6_x/a.png"], "6_x")).toEqual({ editId: null, moves: [] });
    for (const wrong of ["6_x/none.png", "../x.png", "6_x/a.txt", ".originals/a.png"])
      await expect(moveImages(root, ["6_x/a.png", wrong], "3_x weak")).rejects.toMatchObject({ failure: { code: "not_found" } });
    for (const subset of ["../out", "a/../b", ".hidden", "", "6_x/masks", "/etc", "a\\b"])
      await expect(moveImages(root, ["6_x/a.png"], subset)).rejects.toMatchObject({ failure: { code: "bad_request" } });
    expect(await contentOf(root)).toEqual(before);
  });

  test("that a crash cut off in the middle is taken back by the next scan", async () => {
    const root = await folder();
    const before = await contentOf(root);
    await moveImages(root, ["6_x/a.png", "6_x/b.jpg"], "3_x weak");
    const [journal] = readJournals(root);
    if (journal === undefined) throw new Error("no journal");
    // As if the process had died after the first file went.
    const [, ...others] = readEntries(root, journal.id);
    for (const { path, from } of others) await moveBack(root, path, from ?? "");
    writeJournal(root, { ...journal, state: "begun", pid: 2 ** 22 + 1 });
    await writeFile(begunFile(root, journal.id), String(2 ** 22 + 1));
    await scanDataset(root);
    expect(await contentOf(root)).toEqual(before);
  });

  test("is what the page foresees", async () => {
    const root = await folder();
    const before = await scanDataset(root);
    const { moves } = await moveImages(root, ["6_x/a.png", "6_x/b.jpg", "6_x/c.png"], "3_x weak");
    const rejected = await rejectImages(root, ["3_x weak/a.png"]);
    const after = await scanDataset(root);
    const foreseen = applyMoves(applyMoves(before, moves), rejected.moves);
    expect(foreseen.images.map(({ id, subset }) => [id, subset])).toEqual(after.images.map(({ id, subset }) => [id, subset]));
    expect(foreseen.subsets).toEqual(after.subsets);
  });
});

describe("rejecting pictures", () => {
  test("takes their captions, masks and sidecars away too, but not what others share", async () => {
    const root = await folder();
    const before = await contentOf(root);
    await rejectImages(root, ["6_x/a.png", "6_x/c.png"]);
    expect((await readdir(join(root, "6_x"), { recursive: true })).sort()).toEqual(["b.jpg", "b.jpg.txt", "c.jpg", "c.txt", "masks"]);
    await undoEdit(root);
    expect(await contentOf(root)).toEqual(before);
    await rejectImages(root, ["6_x/c.png", "6_x/c.jpg"]);
    expect(await readdir(join(root, "6_x"))).not.toContain("c.txt");
  });

  test("is undone without losing what was written since", async () => {
    const root = await folder();
    await moveImages(root, ["6_x/b.jpg"], "3_x weak");
    await writeFile(join(root, "6_x", "b.jpg"), "somebody's new file");
    await undoEdit(root);
    const files = await readdir(join(root, "3_x weak"));
    expect(files).toContain("b.jpg");
    expect((await contentOf(root))["6_x/b.jpg"]).toBe(Buffer.from("somebody's new file").toString("base64"));
  });
});

async function moveBack(root: string, path: string, from: string): Promise<void> {
  const { rename } = await import("node:fs/promises");
  await rename(join(root, path), join(root, from));
}
