import { appendFileSync, readdirSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { defaultOptions } from "../../../protocol/autotag-options.js";
import { applyAutotag } from "../../../server/autotag/apply-autotag.js";
import { readTaggerScores } from "../../../server/autotag/dataset-scores.js";
import { chooseTagger, type FoundTagger } from "../../../server/autotag/find-taggers.js";
import { scoreDataset } from "../../../server/autotag/score-dataset.js";
import { readDisagreements, settleDisagreements } from "../../../server/autotag/settle-disagreements.js";
import { setTriggerWord } from "../../../server/dataset/edit.js";
import { undoEdit } from "../../../server/dataset/undo.js";
import { temporaryFolder } from "../dataset/sample-pictures.js";
import { BLUE, GREY, RED, testPython, writeColours, writeTagger } from "./write-tagger.js";

const real = test.skipIf(testPython === undefined);
const python = testPython ?? "";
vi.stubEnv("OMP_NUM_THREADS", "1");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "train-lora-tagger-"));
  if (testPython !== undefined) await writeTagger(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const tagger = (): Promise<FoundTagger> => chooseTagger(folder, []);
const captionOf = (root: string, name: string) => readFile(join(root, name), "utf8");

async function pictures(): Promise<string> {
  return await writeColours(await temporaryFolder(), {
    "2_moss/red.png": { colour: RED, caption: "a thing,solo" },
    "2_moss/blue.png": { colour: BLUE, caption: null },
    "2_moss/grey.png": { colour: GREY, caption: "red_thing, solo" },
  });
}

real("pictures are scored once, and their scores become captions as often as thresholds move", async () => {
  const root = await pictures();
  const by = await tagger();
  const run = { root, tagger: by, python, device: "cpu" } as const;
  expect(await scoreDataset(run)).toEqual({ scored: 3, known: 0, unreadable: [], device: "cpu" });
  expect(await scoreDataset(run)).toEqual({ scored: 0, known: 3, unreadable: [], device: null });
  const { labels, images } = await readTaggerScores(root, by.id);
  expect(labels).toEqual([
    ["general", "rating"],
    ["solo", "general"],
    ["red_thing", "general"],
    ["blue_thing", "character"],
  ]);
  expect(Object.keys(images)).toEqual(["2_moss/blue.png", "2_moss/grey.png", "2_moss/red.png"]);
  const request = { tagger: by, options: defaultOptions("wd") };
  const preview = await applyAutotag(root, { ...request, dryRun: true });
  expect(preview).toEqual({
    editId: null,
    unscored: 0,
    changes: [
      { image: "2_moss/blue.png", before: "", after: "blue thing, solo" },
      { image: "2_moss/red.png", before: "a thing,solo", after: "a thing,solo, red thing" },
    ],
  });
  expect(await captionOf(root, "2_moss/red.txt")).toBe("a thing,solo");
  const { editId } = await applyAutotag(root, { ...request, dryRun: false });
  expect(editId).not.toBeNull();
  expect(await captionOf(root, "2_moss/blue.txt")).toBe("blue thing, solo");
  expect(await captionOf(root, "2_moss/red.txt")).toBe("a thing,solo, red thing");
  expect(await captionOf(root, "2_moss/grey.txt")).toBe("red_thing, solo");
  await undoEdit(root, editId ?? "");
  expect(await captionOf(root, "2_moss/red.txt")).toBe("a thing,solo");
  expect(readdirSync(join(root, "2_moss"))).not.toContain("blue.txt");
});

real("a picture that moves keeps its scores, one that changes loses them", async () => {
  const root = await pictures();
  const by = await tagger();
  await scoreDataset({ root, tagger: by, python, device: "cpu" });
  await rename(join(root, "2_moss/red.png"), join(root, "2_moss/other.png"));
  await copyFile(join(root, "2_moss/grey.png"), join(root, "2_moss/blue.png"));
  const { images } = await readTaggerScores(root, by.id);
  expect(Object.keys(images)).toEqual(["2_moss/blue.png", "2_moss/grey.png", "2_moss/other.png"]);
  expect(images["2_moss/blue.png"]).toBe(images["2_moss/grey.png"]);
  expect(await scoreDataset({ root, tagger: by, python, device: "cpu" })).toMatchObject({ scored: 0, known: 3 });
});

real("a picture that can't be read is told, and the rest is scored", async () => {
  const root = await pictures();
  await writeFile(join(root, "2_moss/bad.png"), "no picture at all");
  const run = await scoreDataset({ root, tagger: await tagger(), python, device: "cpu" });
  expect(run).toMatchObject({ scored: 3, unreadable: [{ image: "2_moss/bad.png" }] });
  expect((await applyAutotag(root, { tagger: await tagger(), options: defaultOptions("wd"), dryRun: true })).unscored).toBe(1);
});

real("a line that a crash broke costs that one picture alone", async () => {
  const root = await pictures();
  const by = await tagger();
  await scoreDataset({ root, tagger: by, python, device: "cpu", images: ["2_moss/red.png", "2_moss/blue.png"] });
  const kept = join(root, ".train-lora/scores", readdirSync(join(root, ".train-lora/scores"))[0] ?? "");
  appendFileSync(join(kept, "scores.jsonl"), '{"picture":"half');
  expect(await scoreDataset({ root, tagger: by, python, device: "cpu" })).toMatchObject({ scored: 1, known: 2 });
  expect(Object.keys((await readTaggerScores(root, by.id)).images)).toHaveLength(3);
});

real("a stop keeps what was scored", async () => {
  const root = await pictures();
  const stopper = new AbortController();
  stopper.abort();
  await scoreDataset({ root, tagger: await tagger(), python, device: "cpu", signal: stopper.signal }).catch(() => undefined);
  expect(await scoreDataset({ root, tagger: await tagger(), python, device: "cpu" })).toMatchObject({ scored: 3 });
});

real("captions without scores are refused in a sentence", async () => {
  const root = await pictures();
  const asked = applyAutotag(root, { tagger: await tagger(), options: defaultOptions("wd"), dryRun: true });
  await expect(asked).rejects.toMatchObject({ failure: { code: "not_found" } });
});

real("disagreements are accepted as one edit, kept ones do not come again", async () => {
  const root = await pictures();
  const by = await tagger();
  await setTriggerWord(root, "mossy");
  await scoreDataset({ root, tagger: by, python, device: "cpu" });
  const before = await readDisagreements(root, by.id);
  expect(before.items.map(({ image, kind, tag }) => [image, kind, tag])).toEqual(
    expect.arrayContaining([
      ["2_moss/grey.png", "doubted", "red_thing"],
      ["2_moss/blue.png", "missed", "blue thing"],
      ["2_moss/blue.png", "missed", "solo"],
      ["2_moss/red.png", "missed", "red thing"],
    ]),
  );
  expect(before.total).toBe(4);
  const accept = before.items.filter(({ tag }) => tag !== "solo");
  const keep = before.items.filter(({ tag }) => tag === "solo");
  const { editId } = await settleDisagreements(root, by.id, { accept, keep });
  expect(await captionOf(root, "2_moss/grey.txt")).toBe("solo");
  expect(await captionOf(root, "2_moss/red.txt")).toBe("a thing,solo, red thing");
  expect(await captionOf(root, "2_moss/blue.txt")).toBe("blue thing");
  expect((await readDisagreements(root, by.id)).items).toEqual([]);
  await undoEdit(root, editId ?? "");
  expect(await captionOf(root, "2_moss/grey.txt")).toBe("red_thing, solo");
});
