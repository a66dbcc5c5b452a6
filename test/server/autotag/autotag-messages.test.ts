import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { defaultOptions } from "../../../protocol/autotag-options.js";
import { ResultOf } from "../../../protocol/messages.js";
import type { Task } from "../../../protocol/task.js";
import { taggersFolder } from "../../../server/autotag/tagger-places.js";
import { readServerFile } from "../../../server/http/running-server.js";
import { homePaths } from "../../../server/paths.js";
import { type RunningServer, startServer } from "../../../server/start.js";
import { callCli, lastJson } from "../../cli/run-cli.js";
import { temporaryFolder } from "../dataset/sample-pictures.js";
import { openPage, type TestPage } from "../host/test-page.js";
import { openHub } from "./loopback-hub.js";
import { BLUE, RED, testPython, testVenv, writeColours, writeTagger } from "./write-tagger.js";

const real = test.skipIf(testPython === undefined);

let home: string;
let running: RunningServer;
let page: TestPage;

beforeAll(async () => {
  if (testPython === undefined) return;
  vi.stubEnv("TRAIN_LORA_VENV", testVenv);
  vi.stubEnv("OMP_NUM_THREADS", "1");
  vi.stubEnv("NO_PROXY", "127.0.0.1");
  vi.stubEnv("HF_HOME", "/nowhere");
  home = await mkdtemp(join(tmpdir(), "train-lora-autotag-"));
  await writeTagger(join(taggersFolder(home), "colour-tagger"));
  await writeColours(join(home, "datasets", "moss"), {
    "2_moss/red.png": { colour: RED, caption: "a thing" },
    "2_moss/blue.png": { colour: BLUE, caption: null },
  });
  running = await startServer({ home });
  const server = await readServerFile(homePaths(home));
  if (server === null) throw new Error("the server wrote no file");
  page = await openPage(server);
});

afterEach(() => void vi.stubEnv("HF_ENDPOINT", undefined));
afterAll(async () => {
  await page?.close();
  await running?.close();
  vi.unstubAllEnvs();
  if (home) await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

const ended = async (id: string): Promise<Task | undefined> => {
  const now = () => page.messages.findLast((message) => message.type === "task" && message.task.id === id);
  const task = () => {
    const message = now();
    return message?.type === "task" && message.task.state !== "running" ? message.task : undefined;
  };
  await expect.poll(task, { timeout: 25_000 }).toBeDefined();
  return task();
};

real("a page lists the taggers, has one run as a task, and turns its scores into captions", async () => {
  const list = await page.request({ type: "listTaggers" }, ResultOf.listTaggers);
  expect(list.runtime.state).toBe("ready");
  expect(list.taggers.map(({ name, family, place }) => ({ name, family, place }))).toEqual([
    { name: "colour-tagger", family: "wd", place: "home" },
  ]);
  expect(JSON.stringify(list)).not.toContain(home);
  const tagger = list.taggers[0]?.id ?? "";
  const { task } = await page.request({ type: "runAutotag", dataset: "moss", tagger }, ResultOf.runAutotag);
  expect(await ended(task)).toMatchObject({ kind: "autotag", dataset: "moss", state: "done", done: 2, total: 2 });
  const images = ["2_moss/blue.png"];
  const request = { type: "applyAutotag", dataset: "moss", tagger, options: defaultOptions("wd"), images } as const;
  const { editId, changes } = await page.request({ ...request, dryRun: false }, ResultOf.applyAutotag);
  expect(changes).toEqual([{ image: "2_moss/blue.png", before: "", after: "blue thing, solo" }]);
  await page.request({ type: "undoDataset", dataset: "moss", editId: editId ?? "" }, ResultOf.undoDataset);
  expect(existsSync(join(home, "datasets/moss/2_moss/blue.txt"))).toBe(false);
});

real("Stop ends a run after its batch; what was scored is kept and the next run goes on with the rest", async () => {
  const colours = Array.from({ length: 400 }, (_, n) => [
    `1_many/${n}.png`,
    { colour: { r: n % 250, g: Math.floor(n / 250), b: 0 }, caption: null },
  ]);
  await writeColours(join(home, "datasets", "many"), Object.fromEntries(colours));
  // Large enough that nobody is through with all of them before the stop comes.
  await writeTagger(join(taggersFolder(home), "slow-tagger"), 448);
  const { taggers } = await page.request({ type: "listTaggers" }, ResultOf.listTaggers);
  const tagger = taggers.find(({ name }) => name === "slow-tagger")?.id ?? "";
  const { task } = await page.request({ type: "runAutotag", dataset: "many", tagger }, ResultOf.runAutotag);
  const isUnderWay = () => page.messages.some((message) => message.type === "task" && message.task.id === task && message.task.done > 0);
  await expect.poll(isUnderWay, { interval: 5 }).toBe(true);
  await page.request({ type: "stopTask", task }, ResultOf.stopTask);
  expect((await ended(task))?.state).toBe("stopped");
  const { images } = await page.request({ type: "readScores", dataset: "many", tagger }, ResultOf.readScores);
  const scored = Object.keys(images).length;
  expect(scored).toBeGreaterThan(0);
  expect(scored).toBeLessThan(400);
  const again = await page.request({ type: "runAutotag", dataset: "many", tagger }, ResultOf.runAutotag);
  expect(await ended(again.task)).toMatchObject({ state: "done", done: 400 });
  expect(Object.keys((await page.request({ type: "readScores", dataset: "many", tagger }, ResultOf.readScores)).images)).toHaveLength(400);
  await rm(join(taggersFolder(home), "slow-tagger"), { recursive: true });
});

real("a page can't name a file of this machine as a tagger", async () => {
  const asked = page.request({ type: "runAutotag", dataset: "moss", tagger: taggersFolder(home) }, ResultOf.runAutotag);
  await expect(asked).rejects.toMatchObject({ failure: { code: "bad_request" } });
});

real("a tagger is downloaded as a task, over connections that break, and is on the list then", async () => {
  const from = await writeTagger(await temporaryFolder());
  const files = {
    "owner/new-tagger/model.onnx": Buffer.concat([readFileSync(join(from, "model.onnx")), Buffer.alloc(0)]),
    "owner/new-tagger/selected_tags.csv": Buffer.from(`${await readFile(join(from, "selected_tags.csv"), "utf8")}\n`),
  };
  const hub = await openHub(files, { cut: [20, 100] });
  vi.stubEnv("HF_ENDPOINT", hub.endpoint);
  const { task } = await page.request({ type: "downloadTagger", repository: "owner/new-tagger" }, ResultOf.downloadTagger);
  expect(await ended(task)).toMatchObject({ kind: "modelDownload", state: "done" });
  expect(readdirSync(join(taggersFolder(home), "new-tagger")).toSorted()).toEqual(["model.onnx", "selected_tags.csv"]);
  expect(readFileSync(join(taggersFolder(home), "new-tagger/model.onnx"))).toEqual(files["owner/new-tagger/model.onnx"]);
  expect(hub.asked).toContain("GET owner/new-tagger/selected_tags.csv bytes=20-");
  const { taggers } = await page.request({ type: "listTaggers" }, ResultOf.listTaggers);
  expect(taggers.map(({ name }) => name).toSorted()).toEqual(["colour-tagger", "new-tagger"]);
});

real("a tagger that the hub does not have fails in a sentence", async () => {
  const hub = await openHub({});
  vi.stubEnv("HF_ENDPOINT", hub.endpoint);
  const { task } = await page.request({ type: "downloadTagger", repository: "owner/none" }, ResultOf.downloadTagger);
  expect(await ended(task)).toMatchObject({ state: "failed", failure: { code: "download_failed" } });
  const wrong = page.request({ type: "downloadTagger", repository: "../../etc" }, ResultOf.downloadTagger);
  await expect(wrong).rejects.toMatchObject({ failure: { code: "bad_request" } });
});

real("the command line tags a folder, and a dry run changes nothing", async () => {
  const folder = await writeColours(await temporaryFolder(), {
    "red.png": { colour: RED, caption: "a thing" },
    "blue.png": { colour: BLUE, caption: null },
  });
  const words = ["dataset", "autotag", folder, "--tagger", "colour-tagger", "--home", home, "--cpu", "--json"];
  const options = ["--threshold", "general=0.9", "character=off", "--merge", "prepend", "--exclude", "sol*"];
  const dry = lastJson(await callCli([...words, ...options, "--dry-run"]));
  expect(dry).toMatchObject({
    run: { scored: 2, known: 0, device: "cpu" },
    report: { editId: null, changes: [{ image: "red.png", before: "a thing", after: "red thing, a thing" }] },
  });
  expect(await readFile(join(folder, "red.txt"), "utf8")).toBe("a thing");
  const done = lastJson(await callCli([...words, ...options]));
  expect(done).toMatchObject({ run: { scored: 0, known: 2 } });
  expect(await readFile(join(folder, "red.txt"), "utf8")).toBe("red thing, a thing");
});

real.each([
  [["--tagger", "nobody"], 1, "tagger_missing"],
  [[], 2, "bad_request"],
  [["--tagger", "colour-tagger", "--threshold", "hats=1"], 2, "bad_request"],
  [["--tagger", "colour-tagger", "--threshold", "general=2"], 2, "bad_request"],
  [["--tagger", "colour-tagger", "--merge", "sideways"], 2, "bad_request"],
])("wrong words on the command line are told: %j", async (args, code, failure) => {
  const result = await callCli(["dataset", "autotag", join(home, "datasets/moss"), "--home", home, "--json", ...args]);
  expect([result.code, lastJson(result).code]).toEqual([code, failure]);
});

real("the command line tells which taggers there are", async () => {
  const list = lastJson(await callCli(["dataset", "taggers", "--home", home, "--json"]));
  expect(list).toMatchObject({ runtime: { state: "ready" } });
});
