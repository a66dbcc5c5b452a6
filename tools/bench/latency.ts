/**
 * `npm run bench -- latency`: from the moment a finished epoch has its name in the LoRA folder to the moment at which the page
 * has drawn it as selectable, in a real browser, with the real server and trainer. Both clocks are this machine's.
 */
import { watch } from "node:fs";
import { mkdir } from "node:fs/promises";
import type { Page } from "playwright-core";
import { ImportReport } from "../../protocol/dataset.js";
import { ResultOf } from "../../protocol/messages.js";
import { connect } from "../../server/demo/connect.js";
import { BASE_MODEL, SETTINGS } from "../../server/demo/settings.js";
import { findServer } from "../../server/http/running-server.js";
import { launchChromium } from "../../test/e2e/chromium.js";
import { openRealHome, type RealHome } from "../../test/e2e/real-home.js";

const EPOCHS = 4;

const home = await openRealHome();
const browser = await launchChromium();
try {
  const page = await browser.newPage();
  await page.goto(home.url);
  const seconds = await measure(home, page);
  const figures = {
    bench: "latency",
    epochs: seconds.length,
    seconds: Math.max(...seconds),
    median: seconds.sort((a, b) => a - b)[seconds.length >> 1],
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await browser.close();
  await home.leave();
}

async function measure({ paths, pictures }: RealHome, page: Page): Promise<number[]> {
  const onDisk = await timesOfFiles(paths.loraDir);
  const server = await findServer(paths);
  if (server === null) throw new Error("Expected the server that was just started to be found in its home.");
  const connection = await connect(server);
  await connection.request({ type: "importDataset", source: pictures, name: "mossling" }, ImportReport);
  const settings = { ...SETTINGS, targetSteps: EPOCHS * 8, epochs: EPOCHS };
  const { job } = await connection.request({ type: "enqueue", dataset: "mossling", baseModel: BASE_MODEL, settings }, ResultOf.enqueue);
  await page.goto(page.url().replace(/#.*/, `#/runs/${job}`));
  const latencies: number[] = [];
  for (let epoch = 1; epoch <= EPOCHS; epoch += 1) {
    const drawn = await drawnAt(page, epoch);
    latencies.push((drawn - (onDisk[epoch - 1] ?? Number.NaN)) / 1000);
  }
  connection.close();
  return latencies;
}

// The trainer links the finished file to its name in one step, so the first event that names it is the moment.
async function timesOfFiles(folder: string): Promise<number[]> {
  await mkdir(folder, { recursive: true });
  const times: number[] = [];
  const seen = new Set<string>();
  watch(folder, (_, file) => {
    if (file === null || !file.endsWith(".safetensors") || seen.has(file)) return;
    seen.add(file);
    times.push(Date.now());
  }).unref();
  return times;
}

// Two frames after the element is in the tree, its pixels are on the screen.
function drawnAt(page: Page, epoch: number): Promise<number> {
  const element = page.locator(`input[data-epoch="${epoch}"]`).first();
  return element
    .waitFor({ state: "attached", timeout: 600_000 })
    .then(() =>
      element.evaluate(() => new Promise<number>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(Date.now()))))),
    );
}
