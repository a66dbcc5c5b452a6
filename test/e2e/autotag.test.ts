import { mkdirSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { taggersFolder } from "../../server/autotag/tagger-places.js";
import { type RunningServer, startServer } from "../../server/start.js";
import { BLUE, GREY, RED, testPython, testVenv, writeColours, writeTagger } from "../server/autotag/write-tagger.js";
import { launchChromium } from "./chromium.js";

const screenshots = fileURLToPath(new URL("screenshots/", import.meta.url));
const real = test.skipIf(testPython === undefined);

let home: string;
let running: RunningServer;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  if (testPython === undefined) return;
  vi.stubEnv("TRAIN_LORA_VENV", testVenv);
  vi.stubEnv("OMP_NUM_THREADS", "1");
  vi.stubEnv("HF_HOME", "/nowhere");
  mkdirSync(screenshots, { recursive: true });
  home = await mkdtemp(join(tmpdir(), "train-lora-autotag-"));
  await writeTagger(join(taggersFolder(home), "colour-tagger"));
  await writeColours(join(home, "datasets", "moss", "2_moss"), {
    "blue.png": { colour: BLUE, caption: null },
    "grey.png": { colour: GREY, caption: "mossy, red_thing, solo" },
    "other.png": { colour: { r: 45, g: 3, b: 30 }, caption: "mossy, red_thing" },
    "red.png": { colour: RED, caption: "mossy, a thing" },
  });
  running = await startServer({ home });
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  page.setDefaultTimeout(10_000);
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(running.url);
  await page.goto(`${page.url().split("#")[0]}#/datasets/moss/tags`);
});

afterAll(async () => {
  await browser?.close();
  await running?.close();
  vi.unstubAllEnvs();
  if (home) await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

const by = (name: string) => page.locator(`[data-test="${name}"]`);
const keep = (name: string) => page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
const captionOf = (name: string) => readFile(join(home, "datasets/moss/2_moss", name), "utf8");

real("a tagger is run, and its scores are kept", async () => {
  await by("autotag").locator("summary").first().click();
  await expect.poll(() => by("scored").textContent()).toContain("0 of 4");
  await by("run-autotag").click();
  await expect.poll(() => by("scored").textContent(), { timeout: 60_000 }).toContain("4 of 4");
});

real("thresholds move the preview without another run", async () => {
  await expect.poll(() => by("autotag-counts").textContent()).toContain("3 captions");
  const gained = () => by("autotag-counts").locator("[data-gained]").getAttribute("data-gained");
  const before = Number(await gained());
  await page.locator('[data-threshold="general"]').fill("1");
  await expect.poll(async () => Number(await gained())).toBeLessThan(before);
  await page.locator('[data-threshold="general"]').fill("0.35");
  await expect.poll(async () => Number(await gained())).toBe(before);
  await keep("autotag-1-preview");
  expect(await seriousViolations()).toEqual([]);
});

real("a reload keeps the scores and what was chosen", async () => {
  await page.locator('[name="exclude"]').fill("solo*");
  await page.locator('[name="exclude"]').press("Tab");
  await expect.poll(() => by("autotag-counts").textContent()).toContain("2 captions");
  await page.reload();
  await by("autotag").locator("summary").first().click();
  await expect.poll(() => by("autotag-counts").textContent()).toContain("2 captions");
  expect(await page.locator('[name="exclude"]').inputValue()).toBe("solo*");
  await page.locator('[name="exclude"]').fill("");
  await page.locator('[name="exclude"]').press("Tab");
  await expect.poll(() => by("autotag-counts").textContent()).toContain("3 captions");
});

real("captions are written as one edit, and Undo takes them back", async () => {
  await by("apply-autotag").click();
  await expect.poll(() => by("message").textContent()).toContain("3 captions written");
  expect(await captionOf("red.txt")).toBe("mossy, a thing, red thing, solo");
  expect(await captionOf("blue.txt")).toBe("blue thing, solo");
  await by("undo").click();
  await expect.poll(() => captionOf("red.txt")).toBe("mossy, a thing");
});

real("disagreements are worked off by keys, strongest first", async () => {
  await by("disagreements").locator("summary").click();
  await expect.poll(() => by("disagreement-count").textContent()).toContain("7 disagreements");
  await keep("autotag-2-disagreements");
  const row = (kind: string, tag: string) => page.locator(`li[data-kind="${kind}"][data-tag="${tag}"]`).first();
  await row("doubted", "red_thing").focus();
  await page.keyboard.press("Shift+A");
  await expect.poll(() => by("disagreement-count").textContent()).toContain("5 disagreements");
  expect(await captionOf("grey.txt")).toBe("mossy, solo");
  expect(await captionOf("other.txt")).toBe("mossy");
  await row("missed", "solo").focus();
  await page.keyboard.press("k");
  await expect.poll(() => by("disagreement-count").textContent()).toContain("4 disagreements");
  expect(await seriousViolations()).toEqual([]);
});

real("it fits a telephone and the dark", async () => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 360, height: 900 });
  const width = () => page.evaluate(() => document.documentElement.scrollWidth);
  await keep("autotag-3-dark-narrow");
  expect(await width()).toBeLessThanOrEqual(360);
  expect(complaints).toEqual([]);
});

async function seriousViolations(): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}
