/**
 * `npm run bench -- webui-latency`: from the moment a finished epoch has its name in models/Lora to the moments at which the WebUI
 * knows it for prompts, and at which its card has been drawn in txt2img's Lora tab; in a real WebUI (SD_WEBUI_DIR) and a real browser.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { z } from "zod";
import { ImportReport } from "../../protocol/dataset.js";
import { ResultOf } from "../../protocol/messages.js";
import { checkoutRoot } from "../../server/checkout.js";
import { type Connection, connect } from "../../server/demo/connect.js";
import { BASE_MODEL, SETTINGS } from "../../server/demo/settings.js";
import { findServer } from "../../server/http/running-server.js";
import { homePaths } from "../../server/paths.js";
import { trainerEnvironment } from "../../server/trainer/trainer-process.js";
import { trainerFolder } from "../../server/trainer/venv.js";
import { launchChromium } from "../../test/e2e/chromium.js";
import { openRealWebui, type RealWebui, webuiDir } from "../../test/webui/real-webui.js";

const EPOCHS = 4;
const PATIENCE_MS = 600_000;
const Listed = z.array(z.object({ name: z.string() }));

const dir = webuiDir();
const python = process.env.TRAIN_LORA_TEST_PYTHON;
if (dir === null || python === undefined) {
  process.stderr.write("Expected the folder of an installed WebUI in SD_WEBUI_DIR but it is not set. Set it and run again.\n");
  process.exitCode = 2;
} else {
  process.env.TRAIN_LORA_VENV = dirname(dirname(python));
  const webui = await openRealWebui(dir, (dataDir) => {
    mkdirSync(join(dataDir, "extensions"), { recursive: true });
    symlinkSync(checkoutRoot(), join(dataDir, "extensions", "train-lora"));
  });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
    const figures = await measure(webui, page, python);
    process.stdout.write(`${JSON.stringify({ bench: "webui-latency", epochs: EPOCHS, ...figures })}\n`);
  } finally {
    await browser.close();
    await webui.leave();
  }
}

async function measure(webui: RealWebui, page: Page, trainerPython: string): Promise<{ usableSeconds: number; cardSeconds: number }> {
  const pictures = join(webui.dataDir, "pictures");
  execFileSync(trainerPython, ["-m", "pocket.demo_dataset", pictures, "--seed", "7"], { cwd: trainerFolder(), env: trainerEnvironment() });
  await page.goto(webui.url);
  const tab = (name: string) => page.locator("#tabs > .tab-nav > button").filter({ hasText: name }).first().click();
  await tab("Train LoRA");
  await setUp(page);
  const connection = await connectTo(webui);
  await tab("txt2img");
  await page.locator("#txt2img_extra_tabs > .tab-nav > button").filter({ hasText: "Lora" }).click();
  await connection.request({ type: "importDataset", source: pictures, name: "mossling" }, ImportReport);
  const onDisk = timesOfFiles(webui.loraDir);
  const settings = { ...SETTINGS, targetSteps: EPOCHS * 8, epochs: EPOCHS };
  await connection.request({ type: "enqueue", dataset: "mossling", baseModel: BASE_MODEL, settings }, ResultOf.enqueue);
  const usable: number[] = [];
  const cards: number[] = [];
  for (let epoch = 1; epoch <= EPOCHS; epoch += 1) {
    const name = epoch === EPOCHS ? "mossling" : `mossling-${String(epoch).padStart(6, "0")}`;
    const [known, drawn] = await Promise.all([knownAt(webui, name), drawnAt(page, name)]);
    const saved = onDisk.get(`${name}.safetensors`) ?? Number.NaN;
    usable.push((known - saved) / 1000);
    cards.push((drawn - saved) / 1000);
  }
  connection.close();
  return { usableSeconds: Math.max(...usable), cardSeconds: Math.max(...cards) };
}

/** The panel is there when the WebUI's home lacks something; what the checkout has already costs it seconds. */
async function setUp(page: Page): Promise<void> {
  const live = page.locator('[data-test="live"]').filter({ hasText: /live/ });
  const button = page.locator("train-lora-setup").getByRole("button", { name: "Set up" });
  await live.or(button).first().waitFor({ timeout: 120_000 });
  if (await button.isVisible()) await button.click();
  await live.waitFor({ timeout: PATIENCE_MS });
}

async function connectTo(webui: RealWebui): Promise<Connection> {
  const server = await findServer(homePaths(join(webui.dataDir, "train-lora")));
  if (server === null) throw new Error("Expected the server that the tab has started to be found in its home.");
  return connect(server);
}

function timesOfFiles(folder: string): Map<string, number> {
  mkdirSync(folder, { recursive: true });
  const times = new Map<string, number>();
  watch(folder, (_, file) => {
    if (file?.endsWith(".safetensors") && !times.has(file)) times.set(file, Date.now());
  }).unref();
  return times;
}

/** The WebUI's own list, which is what a prompt is looked up in. */
async function knownAt(webui: RealWebui, name: string): Promise<number> {
  for (const began = Date.now(); Date.now() - began < PATIENCE_MS; await sleep(25)) {
    const listed = Listed.parse(await (await fetch(`${webui.url}/sdapi/v1/loras`)).json());
    if (listed.some((lora) => lora.name === name)) return Date.now();
  }
  throw new Error(`Expected the WebUI to list ${name} but it never did.`);
}

// Two frames after the element is in the tree, its pixels are on the screen.
async function drawnAt(page: Page, name: string): Promise<number> {
  const card = page.locator(`#txt2img_lora_cards .card[data-name="${name}"]`).first();
  await card.waitFor({ state: "attached", timeout: PATIENCE_MS });
  return card.evaluate(() => new Promise<number>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(Date.now())))));
}
