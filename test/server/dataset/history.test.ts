import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareMoments } from "../../../server/dataset/compare-moments.js";
import { rejectImage, setCaption, setTriggerWord } from "../../../server/dataset/edit.js";
import { fixDataset } from "../../../server/dataset/fix.js";
import { datasetHistory } from "../../../server/dataset/history.js";
import { moveImages } from "../../../server/dataset/move-images.js";
import { rollBackDataset } from "../../../server/dataset/roll-back.js";
import { redoEdit, undoEdit } from "../../../server/dataset/undo.js";
import { contentOf, png, temporaryFolder, writeFiles } from "./sample-pictures.js";

async function folder(): Promise<string> {
  const root = await temporaryFolder();
  await writeFiles(root, {
    "6_x/a.png": await png({ seed: 1, alpha: true }),
    "6_x/a.txt": "solo, highres\r\n",
    "6_x/b.png": await png({ seed: 2 }),
    "6_x/b.txt": "hat, long hair",
    "6_x/b.json": "{}",
  });
  return root;
}

describe("the history of a data set", () => {
  test("holds every edit, and every undo and redo, newest first", async () => {
    const root = await folder();
    const { editId: caption } = await setCaption(root, "6_x/a.png", "one");
    const { editId: move } = await moveImages(root, ["6_x/b.png"], "3_x weak");
    await setTriggerWord(root, "moss");
    expect(await undoEdit(root)).toMatchObject({ undone: expect.any(String) });
    expect(await undoEdit(root)).toEqual({ undone: move });
    expect(await redoEdit(root)).toEqual({ redone: move });
    const history = await datasetHistory(root);
    expect(history.entries.map(({ label, undone, state }) => [label, undone, state])).toEqual([
      ["redo move 6_x/b.png to 3_x weak", false, "done"],
      ["undo move 6_x/b.png to 3_x weak", true, "done"],
      ["undo triggerWord moss", false, "done"],
      ["triggerWord moss", true, "done"],
      ["move 6_x/b.png to 3_x weak", false, "done"],
      ["caption 6_x/a.png", false, "done"],
    ]);
    expect(history.entries[4]).toMatchObject({ id: move, captions: 1, pictures: 1, others: 1, undoes: null });
    expect(history.entries[1]).toMatchObject({ undoes: move });
    expect(history).toMatchObject({ more: false, undo: move, redo: history.entries[2]?.id });
    expect(await redoEdit(root)).toMatchObject({ redone: history.entries[3]?.id });
    expect(await redoEdit(root)).toEqual({ redone: null });
    for (const undone of [history.entries[3]?.id, move, caption, null]) expect(await undoEdit(root)).toEqual({ undone });
  });

  test("is read page by page", async () => {
    const root = await folder();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift((await setCaption(root, "6_x/a.png", `caption ${i}`)).editId);
    const first = await datasetHistory(root, { limit: 2 });
    expect(first.entries.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(first.more).toBe(true);
    const rest = await datasetHistory(root, { limit: 10, before: first.entries[1]?.id });
    expect(rest.entries.map(({ id }) => id)).toEqual(ids.slice(2));
    expect(rest.more).toBe(false);
  });

  test("forgets the way forward when something new is done", async () => {
    const root = await folder();
    await setCaption(root, "6_x/a.png", "one");
    await undoEdit(root);
    await setCaption(root, "6_x/b.png", "two");
    expect(await redoEdit(root)).toEqual({ redone: null });
    expect((await datasetHistory(root)).entries).toHaveLength(3);
  });
});

describe("a roll-back", () => {
  test("brings back every moment, is an edit itself and can be undone", async () => {
    const root = await folder();
    const moments: [string, Record<string, string>][] = [["", await contentOf(root)]];
    const edits = [
      () => setCaption(root, "6_x/a.png", "one"),
      () => fixDataset(root, { triggerWord: "moss" }),
      () => moveImages(root, ["6_x/b.png"], "3_x weak"),
      () => rejectImage(root, "3_x weak/b.png"),
      () => undoEdit(root),
      () => setCaption(root, "3_x weak/b.png", "two"),
    ];
    for (const edit of edits) {
      await edit();
      moments.push([(await datasetHistory(root)).entries[0]?.id ?? "", await contentOf(root)]);
    }
    const last = moments.at(-1)?.[1];
    for (const [id, content] of [...moments].reverse()) {
      const { editId } = await rollBackDataset(root, id);
      expect(await contentOf(root)).toEqual(content);
      if (editId === null) continue;
      expect((await datasetHistory(root)).entries[0]).toMatchObject({ id: editId, rollsBackTo: id, undone: false });
      expect(await undoEdit(root)).toEqual({ undone: editId });
      expect(await contentOf(root)).toEqual(last);
    }
    await expect(rollBackDataset(root, "000099-abcdef")).rejects.toMatchObject({ failure: { code: "not_found" } });
  });

  test("agrees with a copy of the folder after any row of edits", async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("caption" as const),
        picture: fc.constantFrom("a", "b"),
        text: fc.string({ unit: "grapheme", maxLength: 12 }),
      }),
      fc.record({
        kind: fc.constantFrom("undo" as const, "redo" as const, "move" as const, "reject" as const),
        picture: fc.constantFrom("a", "b"),
        text: fc.constantFrom("6_x", "3_x weak"),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), fc.nat(), async (steps, chosen) => {
        const root = await folder();
        const moments: [string, Record<string, string>][] = [["", await contentOf(root)]];
        for (const { kind, picture, text } of steps) {
          const id = Object.keys(await contentOf(root)).find((path) => path.endsWith(`/${picture}.png`));
          if (kind === "undo") await undoEdit(root);
          else if (kind === "redo") await redoEdit(root);
          else if (id === undefined) continue;
          else if (kind === "caption") await setCaption(root, id, text);
          else if (kind === "move") await moveImages(root, [id], text);
          else await rejectImage(root, id);
          moments.push([(await datasetHistory(root)).entries[0]?.id ?? "", await contentOf(root)]);
        }
        const [id, content] = moments[chosen % moments.length] ?? ["", {}];
        await rollBackDataset(root, id);
        expect(await contentOf(root)).toEqual(content);
        await undoEdit(root);
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});

describe("a comparison of two moments", () => {
  test("tells captions before and after, and pictures that came, went, moved and were edited", async () => {
    const root = await folder();
    const { editId: first } = await setCaption(root, "6_x/a.png", "one");
    await moveImages(root, ["6_x/b.png"], "3_x weak");
    const { editId: fixed } = await fixDataset(root, { only: ["transparent"] });
    await setCaption(root, "3_x weak/b.png", "hat");
    const { editId: rejected } = await rejectImage(root, "6_x/a.png");
    expect(await compareMoments(root, "", first)).toEqual({
      captions: [{ file: "6_x/a.txt", before: "solo, highres\r\n", after: "one" }],
      captionCount: 1,
      pictures: [],
      pictureCount: 0,
      others: [],
    });
    expect(await compareMoments(root, first, fixed)).toMatchObject({
      captions: [],
      pictures: [
        { change: "moved", file: "3_x weak/b.png", from: "6_x/b.png" },
        { change: "edited", file: "6_x/a.png", from: null },
      ],
    });
    const all = await compareMoments(root, "", null);
    expect(all.pictures).toEqual([
      { change: "moved", file: "3_x weak/b.png", from: "6_x/b.png" },
      { change: "removed", file: "6_x/a.png", from: null },
    ]);
    expect(all.captions).toEqual([
      { file: "3_x weak/b.txt", before: "hat, long hair", after: "hat" },
      { file: "6_x/a.txt", before: "solo, highres\r\n", after: null },
    ]);
    expect((await compareMoments(root, rejected, first)).pictures).toContainEqual({ change: "added", file: "6_x/a.png", from: null });
  });

  test("finds nothing after an undo, and what was written by hand since the last edit", async () => {
    const root = await folder();
    await setCaption(root, "6_x/a.png", "one");
    await undoEdit(root);
    expect(await compareMoments(root, "", null)).toMatchObject({ captionCount: 0, pictureCount: 0 });
    await writeFile(join(root, "6_x/a.txt"), "by hand");
    expect((await compareMoments(root, "", null)).captions).toEqual([{ file: "6_x/a.txt", before: "solo, highres\r\n", after: "by hand" }]);
    expect(await readFile(join(root, "6_x/a.txt"), "utf8")).toBe("by hand");
  });
});
