import { writeFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { rejectImage, setCaption, setTriggerWord } from "../../../server/dataset/edit.js";
import { fixDataset } from "../../../server/dataset/fix.js";
import { begunFile, type Journal, readJournals, writeJournal } from "../../../server/dataset/journal.js";
import { moveImages } from "../../../server/dataset/move-images.js";
import { rollBackDataset } from "../../../server/dataset/roll-back.js";
import { scanDataset } from "../../../server/dataset/scan.js";
import { redoEdit, undoEdit } from "../../../server/dataset/undo.js";
import { contentOf, drawing, jpeg, png, temporaryFolder, writeFiles } from "./sample-pictures.js";

async function folder(): Promise<string> {
  const root = await temporaryFolder();
  await writeFiles(root, {
    "5_x/a.png": await png({ seed: 1, alpha: true }),
    "5_x/a.txt": "solo, highres",
    "5_x/b.jpg": await jpeg({ seed: 2, width: 400, height: 90 }),
    "5_x/c.gif": await drawing({ seed: 3 }).gif().toBuffer(),
    "5_x/c.gif.txt": "solo",
  });
  return root;
}

describe("an undo", () => {
  test("takes edits back one after the other, each byte for byte", async () => {
    const root = await folder();
    const states = [await contentOf(root)];
    const edits = [await fixDataset(root, { triggerWord: "moss" })];
    states.push(await contentOf(root));
    await setCaption(root, "5_x/a.png", "written by hand");
    states.push(await contentOf(root));
    await rejectImage(root, "5_x/b.jpg");
    states.push(await contentOf(root));
    expect(edits[0]?.changes.length).toBeGreaterThan(4);
    for (const state of [states[2], states[1], states[0]]) {
      expect((await undoEdit(root)).undone).not.toBeNull();
      expect(await contentOf(root)).toEqual(state);
    }
    expect(await undoEdit(root)).toEqual({ undone: null });
    expect((await scanDataset(root)).triggerWord).toBe("");
  });

  test("of an older edit works unless a newer one changed the same files", async () => {
    const root = await folder();
    const first = await setCaption(root, "5_x/a.png", "one");
    const other = await setCaption(root, "5_x/b.jpg", "other");
    const second = await setCaption(root, "5_x/a.png", "two");
    await expect(undoEdit(root, first.editId)).rejects.toMatchObject({
      failure: { code: "bad_request", message: expect.stringContaining(second.editId) },
    });
    expect(await undoEdit(root, other.editId)).toEqual({ undone: other.editId });
    await expect(undoEdit(root, other.editId)).rejects.toMatchObject({ failure: { code: "bad_request" } });
    await expect(undoEdit(root, "000099-abcdef")).rejects.toMatchObject({ failure: { code: "not_found" } });
    expect((await scanDataset(root)).images.map(({ caption }) => caption)).toEqual(["two", null, "solo"]);
  });

  test("keeps what somebody wrote into a file after the edit", async () => {
    const root = await folder();
    await setCaption(root, "5_x/a.png", "one");
    await writeFile(join(root, "5_x/a.txt"), "an hour of work");
    await undoEdit(root);
    expect(await readFile(join(root, "5_x/a.txt"), "utf8")).toBe("solo, highres");
    await redoEdit(root);
    expect(await readFile(join(root, "5_x/a.txt"), "utf8")).toBe("an hour of work");
  });
});

describe("an edit that a crash cut off", () => {
  const DEAD = 2 ** 22 + 1;

  function cutOff(root: string): Journal {
    const journal = readJournals(root).at(-1);
    if (journal === undefined) throw new Error("no journal");
    // As if the process had died before the last word "done": everything is changed, nothing is confirmed.
    writeJournal(root, { ...journal, state: "begun", pid: DEAD });
    writeFileSync(begunFile(root, journal.id), String(DEAD));
    return journal;
  }

  test("is taken back by the next scan, wherever it was cut, and the history says so", async () => {
    const root = await folder();
    const before = await contentOf(root);
    const { editId } = await fixDataset(root, { triggerWord: "moss" });
    const journal = cutOff(root);
    // … and one file not yet changed.
    await writeFile(join(root, "5_x/a.txt"), "solo, highres");
    await scanDataset(root);
    expect(await contentOf(root)).toEqual(before);
    expect(readJournals(root)).toMatchObject([{ id: editId, state: "takenBack" }]);
    expect(await readdir(join(root, ".originals"))).toEqual([journal.id]);
    expect(await undoEdit(root)).toEqual({ undone: null });
    await expect(undoEdit(root, journal.id)).rejects.toMatchObject({ failure: { code: "not_found" } });
  });

  test("is taken back when it was a move, a rejection, an undo or a roll-back", async () => {
    const root = await folder();
    const edits = [
      () => moveImages(root, ["5_x/b.jpg"], "2_x weak"),
      () => rejectImage(root, "5_x/a.png"),
      () => undoEdit(root),
      () => rollBackDataset(root, ""),
    ];
    for (const edit of edits) {
      const before = await contentOf(root);
      await edit();
      expect(await contentOf(root)).not.toEqual(before);
      const { id } = cutOff(root);
      await scanDataset(root);
      expect(await contentOf(root)).toEqual(before);
      expect(readJournals(root).at(-1)).toMatchObject({ id, state: "takenBack" });
      await edit();
    }
  });

  test("leaves what somebody wrote meanwhile beside the originals", async () => {
    const root = await folder();
    await setCaption(root, "5_x/a.png", "one");
    const { id } = cutOff(root);
    await writeFile(join(root, "5_x/a.txt"), "an hour of work");
    await scanDataset(root);
    expect(await readFile(join(root, "5_x/a.txt"), "utf8")).toBe("solo, highres");
    expect(await readFile(join(root, ".originals/changed-since", id, "5_x/a.txt"), "utf8")).toBe("an hour of work");
  });

  test("before it began leaves nothing but a folder that is cleared away", async () => {
    const root = await folder();
    await writeFiles(root, { ".originals/000001-abcdef/new/5_x/a.png": "half", ".originals/begun-000001-abcdef": String(DEAD) });
    const before = await contentOf(root);
    await scanDataset(root);
    expect(await contentOf(root)).toEqual(before);
    expect(await readdir(join(root, ".originals"))).toEqual([]);
  });

  test("is left alone while its process lives", async () => {
    const root = await folder();
    await setCaption(root, "5_x/a.png", "one");
    const journal = cutOff(root);
    writeJournal(root, { ...journal, state: "begun", pid: process.ppid });
    await scanDataset(root);
    expect(await readFile(join(root, "5_x/a.txt"), "utf8")).toBe("one");
  });
});

describe("an edit of one picture", () => {
  test("rejects the picture with its caption and refuses ids that are none", async () => {
    const root = await folder();
    await rejectImage(root, "5_x/a.png");
    expect(Object.keys(await contentOf(root))).toEqual(["5_x/b.jpg", "5_x/c.gif", "5_x/c.gif.txt"]);
    for (const id of ["5_x/a.png", "../outside.png", "5_x/a.txt", ""]) {
      await expect(setCaption(root, id, "x")).rejects.toMatchObject({ failure: { code: "not_found" } });
    }
  });

  test("may be asked for many at once; they happen one after the other", async () => {
    const root = await folder();
    await Promise.all(["one", "two", "three"].map((caption) => setCaption(root, "5_x/a.png", caption)));
    expect(readJournals(root).length).toBe(3);
    for (let i = 0; i < 3; i++) await undoEdit(root);
    expect(await readFile(join(root, "5_x/a.txt"), "utf8")).toBe("solo, highres");
  });

  test("sets a trigger word, tidied, and refuses one that would be two tags", async () => {
    const root = await folder();
    await setTriggerWord(root, "  lantern   keeper ");
    expect((await scanDataset(root)).triggerWord).toBe("lantern keeper");
    await expect(setTriggerWord(root, "a, b")).rejects.toMatchObject({ failure: { code: "bad_request" } });
    await expect(setTriggerWord(join(root, "nowhere"), "a")).rejects.toMatchObject({ failure: { code: "dataset_not_found" } });
  });
});
