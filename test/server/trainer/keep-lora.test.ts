import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { applyEvent, type Job } from "../../../protocol/job.js";
import { mergeCard, type OwnCard } from "../../../server/library/lora-card.js";
import { keepLora } from "../../../server/trainer/keep-lora.js";
import { jobOfRun, newRun, readEvents } from "../../../server/trainer/run.js";
import { runTraining } from "../../../server/trainer/run-training.js";
import { planOf } from "../plan-of.js";
import { makeTempHome, type TempHome } from "../temp-home.js";

// Programs start slowly on a machine that is busy with something else.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const own: OwnCard = { description: "d", "sd version": "SD1", "activation text": "moss", "preferred weight": 0.7, notes: "n" };

describe("mergeCard", () => {
  test("fills a card that is empty and keeps the keys of others", () => {
    expect(mergeCard({ "negative text": "blurry" }, own, {})).toEqual({ "negative text": "blurry", ...own });
  });

  test("what the user wrote stays, whatever it is, and an empty activation text or weight is filled", () => {
    const card = { notes: "", description: "mine", "activation text": "", "preferred weight": 0, "sd version": "Unknown" };
    expect(mergeCard(card, own, {})).toEqual({ ...card, "activation text": "moss", "preferred weight": 0.7 });
  });

  test("our own words of before are replaced", () => {
    expect(mergeCard({ ...own, "preferred weight": 0.8 }, own, { ...own, "preferred weight": 0.8 })).toEqual(own);
  });
});

describe("keepLora", () => {
  let home: TempHome;
  let job: Job;
  beforeAll(async () => {
    home = await makeTempHome();
    const plan = planOf("ok-kept");
    const { run, runDir } = await newRun({ paths: home, plan, loraDir: home.loraDir });
    await runTraining({ paths: home, runDir, onEvent: () => undefined }).done;
    job = (await readEvents(runDir)).reduce(applyEvent, jobOfRun(run, plan));
  });
  afterAll(() => home.remove());

  const stem = () => join(home.loraDir, "ok-kept-000001");
  const card = async () => JSON.parse(await readFile(`${stem()}.json`, "utf8"));

  test("writes weight, trigger word, the verdict's sentence and the nearest cell as preview", async () => {
    expect(await keepLora(home, job, { epoch: 1, weight: 0.6 })).toBe("ok-kept-000001.safetensors");
    expect(await card()).toMatchObject({
      "activation text": "moss",
      "preferred weight": 0.6,
      notes: expect.stringContaining(job.verdict?.sentence ?? "?"),
    });
    const nearest = job.cells.find(({ epoch, weight, prompt }) => epoch === 1 && weight === 0.5 && prompt === 0)?.file ?? "";
    expect(await readFile(`${stem()}.png`)).toEqual(await readFile(join(home.runsDir, job.id, "grid", nearest)));
  });

  test("changes its own words when asked again, and never the user's", async () => {
    await writeFile(`${stem()}.json`, JSON.stringify({ ...(await card()), notes: "my own notes" }));
    await keepLora(home, job, { epoch: 1, weight: 1 });
    expect(await card()).toMatchObject({ "preferred weight": 1, notes: "my own notes" });
    await writeFile(`${stem()}.json`, JSON.stringify({ ...(await card()), "preferred weight": 0.3 }));
    await writeFile(`${stem()}.png`, "the user's picture");
    await keepLora(home, job, { epoch: 1, weight: 0.5 });
    expect(await card()).toMatchObject({ "preferred weight": 0.3, notes: "my own notes" });
    expect(await readFile(`${stem()}.png`, "utf8")).toBe("the user's picture");
  });

  test("adds no second preview beside one of another kind", async () => {
    await writeFile(join(home.loraDir, "ok-kept.preview.webp"), "the user's picture");
    await keepLora(home, job, { epoch: 2 });
    expect(existsSync(join(home.loraDir, "ok-kept.png"))).toBe(false);
  });

  test("refuses in words what it can't do, and leaves a broken card alone", async () => {
    await expect(keepLora(home, job, { epoch: 9 })).rejects.toMatchObject({ failure: { code: "not_found" } });
    await writeFile(`${stem()}.json`, "[1, 2]");
    await expect(keepLora(home, job, { epoch: 1 })).rejects.toMatchObject({ failure: { code: "bad_request" } });
    expect(await readFile(`${stem()}.json`, "utf8")).toBe("[1, 2]");
  });
});
