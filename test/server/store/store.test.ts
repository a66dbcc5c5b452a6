import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Job, newJob } from "../../../protocol/job.js";
import { openDatabase } from "../../../server/store/sqlite.js";
import { openStore } from "../../../server/store/store.js";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "train-lora-store-"));
  file = join(folder, "train-lora.sqlite");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function job(id: string): Job {
  return newJob({ id, name: id, dataset: "moss", baseModel: "tiny", createdAt: 1, totalSteps: 10, epochs: 2 });
}

test("what was in the store is the fold of its events after a restart", () => {
  const store = openStore(file);
  store.addJob(job("a"));
  store.append("a", { type: "started", time: 5, pid: 1, device: "cpu", precision: "no", step: 0, totalSteps: 10, epochs: 2 });
  for (let step = 1; step <= 4; step += 1)
    store.append("a", { type: "step", time: 6, step, epoch: 1, loss: 1 / step, learningRate: 1, secondsPerStep: 1 });
  store.append("a", { type: "failed", time: 9, code: "nan_loss", message: "NaN" });
  store.keepSummary({ name: "moss", images: 3, problems: 1, triggerWord: "m" });
  const before = store.jobs();
  store.close();
  const again = openStore(file);
  expect(again.jobs()).toEqual(before);
  expect(again.job("a")).toMatchObject({ status: "failed", step: 4, endedAt: 9 });
  expect(again.append("a", { type: "status", time: 10, status: "queued" }).status).toBe("queued");
  expect(again.summaries()).toEqual([{ name: "moss", images: 3, problems: 1, triggerWord: "m" }]);
  again.close();
});

test("the queue's order survives, with the ones that were put first or last", () => {
  const store = openStore(file);
  for (const id of ["a", "b", "c", "d"]) store.addJob(job(id));
  store.place("c", "first");
  store.place("a", "last");
  store.append("b", { type: "status", time: 1, status: "paused" });
  store.close();
  const again = openStore(file);
  expect(again.queued().map(({ id }) => id)).toEqual(["c", "d", "a"]);
  expect(again.jobs().map(({ id }) => id)).toEqual(["a", "b", "c", "d"]);
  again.close();
});

test("a database of a newer version is left alone and told", () => {
  openDatabase(file, ["CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE TABLE c (x)"]).close();
  expect(() => openStore(file)).toThrow(/newer Train LoRA/);
});

test("migrations run once each, and only the missing ones", () => {
  openDatabase(file, ["CREATE TABLE a (x)"]).close();
  const database = openDatabase(file, ["CREATE TABLE a (x)", "INSERT INTO a VALUES (7)"]);
  expect(database.prepare("SELECT count(*) AS n FROM a").get()).toMatchObject({ n: 1 });
  database.close();
});
