import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JobEvent, type WebuiCell } from "../../protocol/job.js";
import { checkoutRoot } from "../../server/checkout.js";
import { homePaths, resolveHome } from "../../server/paths.js";
import { trainerEnvironment } from "../../server/trainer/trainer-process.js";
import { ensureTrainer, trainerFolder } from "../../server/trainer/venv.js";
import { launchChromium } from "../e2e/chromium.js";
import { openRealWebui, type RealWebui, webuiDir } from "./real-webui.js";

const screenshots = fileURLToPath(new URL("../e2e/screenshots/", import.meta.url));
const SETUP_MS = 1_200_000;
const TRAINING_MS = 600_000;
const SETTINGS = { targetSteps: "48", epochs: "2", batchSize: "4", networkDim: "8", networkAlpha: "8" };

const dir = webuiDir();
let webui: RealWebui;
let browser: Browser;
let page: Page;
let pictures: string;

const by = (name: string) => page.locator(`[data-test="${name}"]`);
const keep = (name: string) => page.screenshot({ path: join(screenshots, `webui-${name}.png`) });

async function openTab(name: string): Promise<void> {
  await page.locator("#tabs > .tab-nav > button").filter({ hasText: name }).first().click();
}

/** Cells as the events tell of them, each with its file on disk. */
function drawnCells(): { cell: WebuiCell; path: string }[] {
  const runs = join(webui.dataDir, "train-lora", "runs");
  return readdirSync(runs)
    .filter((run) => !run.startsWith("."))
    .flatMap((run) => {
      const lines = readFileSync(join(runs, run, "events.jsonl"), "utf8")
        .split("\n")
        .filter((line) => line !== "");
      return lines.flatMap((line) => {
        const event = JobEvent.parse(JSON.parse(line));
        return event.type === "webuiCell" ? [{ cell: event, path: join(runs, run, "webui", event.file) }] : [];
      });
    });
}

async function byApi(infotext: string, prompt?: string): Promise<Buffer> {
  const answer = await fetch(`${webui.url}/sdapi/v1/txt2img`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ infotext, ...(prompt === undefined ? {} : { prompt }) }),
  });
  const { images }: { images: string[] } = await answer.json();
  return Buffer.from(images[0] ?? "", "base64");
}

async function difference(one: Buffer | string, other: Buffer | string): Promise<number> {
  const [a, b] = await Promise.all([one, other].map((picture) => sharp(picture).removeAlpha().raw().toBuffer()));
  if (a === undefined || b === undefined || a.length !== b.length) throw new Error("Expected two pictures of one size.");
  return a.reduce((worst, value, at) => Math.max(worst, Math.abs(value - (b[at] ?? 0))), 0);
}

describe.skipIf(dir === null)("the tab in a real WebUI (SD_WEBUI_DIR)", () => {
  beforeAll(async () => {
    mkdirSync(screenshots, { recursive: true });
    webui = await openRealWebui(dir ?? "");
    pictures = join(webui.dataDir, "pictures");
    const { python } = await ensureTrainer(homePaths(resolveHome()), () => undefined);
    execFileSync(python, ["-m", "pocket.demo_dataset", pictures, "--seed", "7"], { cwd: trainerFolder(), env: trainerEnvironment() });
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
    await page.goto(webui.url);
  }, 600_000);

  afterAll(async () => {
    await browser?.close();
    if (webui) writeFileSync(join(screenshots, "webui.log"), webui.log());
    await webui?.leave();
  });

  test("the Extensions tab installs it from its address, and after a restart the tab is there", async () => {
    await openTab("Extensions");
    await page.locator("#tabs_extensions > .tab-nav > button").filter({ hasText: "Install from URL" }).click();
    await page.getByLabel("URL for extension's git repository").fill(`file://${checkoutRoot()}`);
    await page.getByRole("button", { name: "Install", exact: true }).click();
    await page.locator("#extension_install_result").filter({ hasText: "Installed into" }).last().waitFor({ timeout: 300_000 });
    await webui.stop();
    await webui.start();
    await page.goto(webui.url);
    await openTab("Train LoRA");
  });

  test(
    "the set-up panel brings everything, and the page follows it",
    async () => {
      await page.locator("train-lora-setup").waitFor({ timeout: 60_000 });
      await keep("1-setup");
      await page.locator("train-lora-setup").getByRole("button", { name: "Set up" }).click();
      await page.locator("train-lora-app").waitFor({ timeout: SETUP_MS });
      await by("live").filter({ hasText: /live/ }).waitFor({ timeout: 60_000 });
      await keep("2-page");
    },
    SETUP_MS,
  );

  test("a data set is imported and planned on the model that is loaded in the WebUI", async () => {
    await by("import-path").fill(pictures);
    await by("import-name").fill("mossling");
    await by("import-button").click();
    await by("fix-all").waitFor({ timeout: 60_000 });
    await by("trigger-word").fill("mossling");
    await by("save-trigger-word").click();
    await by("fix-all").click();
    await by("apply-fixes").click();
    await by("fix-all").waitFor({ state: "detached" });
    await by("next-step").click();
    await by("fix-all").click();
    await by("apply-fixes").click();
    await by("fix-all").waitFor({ state: "detached" });
    await by("next-step").click();
    await by("plan-sum").waitFor();
    for (const [key, value] of Object.entries(SETTINGS)) {
      const field = page.locator(`[data-setting="${key}"]`);
      await field.fill(value);
      await field.press("Tab");
    }
    await by("plan-sum")
      .filter({ hasText: /2 epochs/ })
      .waitFor();
    await keep("3-plan");
  });

  test(
    "it trains, and the epochs are in the WebUI's Lora tab without a press of Refresh",
    async () => {
      await by("enqueue").click();
      await page.locator('[data-epoch="1"]').first().waitFor({ timeout: TRAINING_MS });
      await keep("4-run");
      await by("report").waitFor({ timeout: TRAINING_MS });
      expect(
        readdirSync(webui.loraDir)
          .filter((file) => file.endsWith(".safetensors"))
          .sort(),
      ).toEqual(["mossling-000001.safetensors", "mossling.safetensors"]);
      await openTab("txt2img");
      await page.locator("#txt2img_extra_tabs > .tab-nav > button").filter({ hasText: "Lora" }).click();
      await page.locator('#txt2img_lora_cards .card[data-name="mossling"]').waitFor({ timeout: 30_000 });
      await keep("5-cards");
      await openTab("Train LoRA");
    },
    TRAINING_MS * 2,
  );

  test(
    "Draw now draws every cell by the WebUI's own txt2img",
    async () => {
      await by("open-grid").click();
      await by("verdict").waitFor();
      await by("draw-now").click();
      await by("draw-progress").waitFor();
      await by("draw-progress").waitFor({ state: "detached", timeout: TRAINING_MS });
      await keep("6-webui-grid");
      expect(drawnCells().length).toBeGreaterThan(8);
    },
    TRAINING_MS,
  );

  test("its no-LoRA column is plain txt2img, weight 0 is no LoRA, and a cell is the same picture by the API", async () => {
    const cells = drawnCells();
    const plain = cells.find(({ cell }) => cell.epoch === 0);
    const strong = cells.findLast(({ cell }) => cell.epoch === 2);
    if (!plain || !strong) throw new Error("Expected cells without a LoRA and of epoch 2.");
    const prompt = plain.cell.infotext.split("\n")[0] ?? "";
    expect(await difference(await byApi(plain.cell.infotext), plain.path)).toBe(0);
    expect(await difference(await byApi(plain.cell.infotext, `${prompt} <lora:mossling:0>`), plain.path)).toBe(0);
    expect(await difference(await byApi(strong.cell.infotext), strong.path)).toBe(0);
    expect(await difference(plain.path, strong.path)).toBeGreaterThan(20);
  });

  test("the WebUI's loader matched every key of our files", () => {
    expect(webui.log()).not.toMatch(/didn't match keys|Unmatched|not matched/i);
  });

  test(
    "Open in txt2img fills the X/Y/Z plot over our axes, and Generate draws it",
    async () => {
      await by("open-txt2img").click();
      const values = page.locator("#script_txt2img_xyz_plot_y_values textarea");
      await expect.poll(() => values.inputValue(), { timeout: 15_000 }).toMatch(/0\.4/);
      await keep("7-txt2img");
      await page.locator("#txt2img_generate").click();
      await page.locator("#txt2img_gallery img").first().waitFor({ timeout: TRAINING_MS });
      await expect.poll(() => page.locator("#html_info_txt2img").innerText(), { timeout: TRAINING_MS }).toMatch(/Train LoRA\] Epoch/);
      await keep("8-xyz");
    },
    TRAINING_MS,
  );

  test("after a kill -9 of the WebUI the page is back by itself once it runs again", async () => {
    await webui.stop("SIGKILL");
    await webui.start();
    await page.goto(webui.url);
    await openTab("Train LoRA");
    await by("live").filter({ hasText: /live/ }).waitFor({ timeout: 120_000 });
    expect(readdirSync(webui.loraDir)).toContain("mossling.safetensors");
  });
});
