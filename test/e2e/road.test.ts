import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchChromium } from "./chromium.js";
import { openRealHome, type RealHome } from "./real-home.js";

const screenshots = fileURLToPath(new URL("screenshots/", import.meta.url));
const TRAINING = 300_000;
const SETTINGS = { targetSteps: "48", epochs: "2", batchSize: "4", networkDim: "8", networkAlpha: "8" };

let home: RealHome;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true });
  home = await openRealHome();
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(`${message.text()} ${message.location().url}`));
  await page.goto(home.url);
});

afterAll(async () => {
  await browser?.close();
  await home?.leave();
});

const by = (name: string) => page.locator(`[data-test="${name}"]`);
const keep = (name: string) => page.screenshot({ path: join(screenshots, `${name}.png`) });

async function fixAll(screenshot: string): Promise<void> {
  await by("fix-all").click();
  await by("apply-fixes").waitFor();
  await keep(screenshot);
  await by("apply-fixes").click();
  await by("fix-all").waitFor({ state: "detached" });
}

async function set(key: string, value: string): Promise<void> {
  const field = page.locator(`[data-setting="${key}"]`);
  await field.fill(value);
  await field.press("Tab");
}

async function seriousViolations(): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

describe("the whole road by clicking", () => {
  test("the code leaves the address and the page is live", async () => {
    await by("live").filter({ hasText: /live/ }).waitFor();
    expect(page.url()).not.toContain("code=");
  });

  test("a folder of pictures is imported and its problems are shown", async () => {
    await by("import-path").fill(home.pictures);
    await by("import-name").fill("mossling");
    await by("import-button").click();
    await by("fix-all").waitFor();
    await keep("1-pictures");
    expect(page.url()).toContain("/datasets/mossling/pictures");
    expect(await seriousViolations()).toEqual([]);
  });

  test("what is wrong with pictures and tags is fixed, after its changes were shown", async () => {
    await by("trigger-word").fill("mossling");
    await by("save-trigger-word").click();
    await fixAll("2-fix-pictures");
    await by("next-step").click();
    await page.waitForURL(/datasets\/mossling\/tags/);
    await fixAll("3-fix-tags");
    await keep("4-tags");
    expect(await seriousViolations()).toEqual([]);
    expect(readdirSync(join(home.paths.datasetsDir, "mossling", ".originals")).length).toBeGreaterThan(1);
  });

  test("the plan answers each setting with its figures", async () => {
    await by("next-step").click();
    await page.waitForURL(/datasets\/mossling\/plan/);
    await by("plan-sum").waitFor();
    for (const [key, value] of Object.entries(SETTINGS)) await set(key, value);
    await by("plan-sum")
      .filter({ hasText: /2 epochs/ })
      .waitFor();
    await keep("5-plan");
    expect(await seriousViolations()).toEqual([]);
  });

  test(
    "a run trains to its end while the page shows each epoch",
    async () => {
      await by("enqueue").click();
      await page.locator('[data-epoch="1"]').first().waitFor({ timeout: TRAINING });
      await keep("6-run");
      await page.locator('[data-epoch="2"]').first().waitFor({ timeout: TRAINING });
      await by("report").waitFor({ timeout: TRAINING });
      await keep("7-finished");
      expect(
        readdirSync(home.paths.loraDir)
          .filter((file) => file.endsWith(".safetensors"))
          .sort(),
      ).toEqual(["mossling-000001.safetensors", "mossling.safetensors"]);
      expect(await seriousViolations()).toEqual([]);
    },
    TRAINING * 2,
  );

  test("the grid shows every cell and the verdict, and the keyboard walks it", async () => {
    await by("open-grid").click();
    await by("verdict").waitFor();
    const cells = by("grid-cell");
    await cells.first().waitFor();
    expect(await page.locator('[data-test="grid-cell"][data-drawn="false"]').count()).toBe(0);
    await cells.first().click();
    await page.keyboard.press("ArrowRight");
    await keep("8-grid");
    expect(await seriousViolations()).toEqual([]);
  });

  test("reload, Back and a dark page keep their place", async () => {
    const address = page.url();
    await page.emulateMedia({ colorScheme: "dark" });
    await page.reload();
    await by("verdict").waitFor();
    expect(page.url()).toBe(address);
    await keep("9-grid-dark");
    await page.goto(address.replace(/#.*/, "#/loras"));
    await by("lora").first().waitFor();
    await by("lora").first().click();
    await by("lora-facts").waitFor();
    await keep("10-loras-dark");
    await page.goBack();
    await page.goBack();
    await by("verdict").waitFor();
  });

  test("nothing complained in the browser's console", () => {
    expect(complaints).toEqual([]);
  });
});
