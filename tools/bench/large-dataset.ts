import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Browser, Page } from "playwright-core";
import { z } from "zod";
import { checkoutRoot } from "../../server/checkout.js";
import { launchChromium } from "../../test/e2e/chromium.js";
import { drawLargeDataset } from "./draw-large-dataset.js";

/** Seconds are those until the first thumbnails' places stand on the page; memory is in megabytes at its highest. */
export type LargeFigures = {
  largePictures: number;
  /** Every picture decoded for the first time. */
  coldOpenSeconds: number;
  /** A server that was just started, with the cache of an earlier scan. */
  openSeconds: number;
  framesPerSecond: number;
  /** A hundred keys that grade, reject and move on, until the page has shown the last. */
  sortSeconds: number;
  rssMb: number;
  heapMb: number;
};

/** Opens, scrolls and sorts a data set of so many pictures in a browser, as a person would. */
export async function measureLarge(count: number): Promise<LargeFigures> {
  const root = checkoutRoot();
  execFileSync(process.execPath, [join(root, "tools/build.mjs"), "--if-stale"], { stdio: ["ignore", "ignore", "inherit"] });
  const home = await mkdtemp(join(tmpdir(), "train-lora-bench-"));
  const browser = await launchChromium();
  try {
    process.stderr.write(`Drawing ${count} small pictures …\n`);
    await drawLargeDataset(join(home, "datasets", "large"), count);
    const cold = await withServer(home, async (url) => await openLarge(browser, url, async () => ({})));
    const warm = await withServer(
      home,
      async (url, server) =>
        await openLarge(browser, url, async (page) => ({ ...(await scrollAndSort(page)), rssMb: await peakMemory(server) })),
    );
    return { largePictures: count, coldOpenSeconds: cold.seconds, openSeconds: warm.seconds, ...warm.found };
  } finally {
    await browser.close();
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

async function withServer<T>(home: string, work: (url: string, server: ChildProcess) => Promise<T>): Promise<T> {
  const server = spawn(process.execPath, [join(checkoutRoot(), "dist/server/main.js"), "--home", home, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(server, "exit");
  try {
    const [line] = await once(createInterface({ input: server.stdout }), "line");
    return await work(z.object({ url: z.string() }).parse(JSON.parse(String(line))).url, server);
  } finally {
    server.kill("SIGTERM");
    await exited;
  }
}

const PATIENCE_MS = 900_000;

async function openLarge<T>(browser: Browser, url: string, then: (page: Page) => Promise<T>): Promise<{ seconds: number; found: T }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  try {
    await page.goto(url);
    await page.locator('[data-test="live"]').waitFor();
    const began = performance.now();
    await page.evaluate('location.hash = "#/datasets/large/pictures"');
    await page.locator("[data-image]").first().waitFor({ timeout: PATIENCE_MS });
    return { seconds: rounded((performance.now() - began) / 1000), found: await then(page) };
  } finally {
    await page.close();
  }
}

async function scrollAndSort(page: Page): Promise<Pick<LargeFigures, "framesPerSecond" | "sortSeconds" | "heapMb">> {
  await page.waitForTimeout(1000);
  const framesPerSecond = z.number().parse(await page.evaluate(SCROLL));
  await page.evaluate("scrollTo(0, 0)");
  await page.locator("[data-image]").first().click();
  const began = performance.now();
  for (let i = 0; i < 100; i++) await page.keyboard.press(["ArrowRight", "2", "x", "1"][i % 4] ?? "x");
  await page.evaluate("new Promise(requestAnimationFrame)");
  const sortSeconds = rounded((performance.now() - began) / 1000);
  const heapMb = z.number().parse(await page.evaluate("performance.memory.usedJSHeapSize / 1e6"));
  return { framesPerSecond: rounded(framesPerSecond), sortSeconds, heapMb: rounded(heapMb) };
}

// Three seconds of steady scrolling, a thumbnail's row every seventh frame; a script of the page, so in words of its own.
const SCROLL = `new Promise((done) => {
  const began = performance.now();
  let frames = 0;
  const tick = () => {
    scrollBy(0, 25);
    frames += 1;
    const seconds = (performance.now() - began) / 1000;
    if (seconds < 3) requestAnimationFrame(tick);
    else done(frames / seconds);
  };
  requestAnimationFrame(tick);
})`;

/** What the system says of the process; 0 where it has no /proc. */
async function peakMemory({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return rounded(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1000);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
