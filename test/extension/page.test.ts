import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type {} from "../../ui/data/webui.js";
import { launchChromium } from "../e2e/chromium.js";
import { freePort } from "./free-port.js";

const root = new URL("../..", import.meta.url).pathname;
const module = readFileSync(join(root, "javascript", "train_lora.mjs"), "utf8");
const style = readFileSync(join(root, "style.css"), "utf8");
const infotext = "a lantern keeper\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 6, Seed: 1";

/** The Pythons of test/extension/venvs.py, which are made here when they are missing. */
const pythons = execFileSync(process.env.TRAIN_LORA_TEST_PYTHON ?? "python3", [join(root, "test", "extension", "venvs.py")], {
  encoding: "utf8",
})
  .trim()
  .split("\n");

describe.each(["gradio 3.41.2", "gradio 4.40.0"])("the tab in a page of %s", (line) => {
  const data = mkdtempSync(join(tmpdir(), "train-lora-page-"));
  const requests: string[] = [];
  let port: number;
  let webui: ChildProcess;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    port = await freePort();
    webui = await startWebui(pythons[line.startsWith("gradio 3") ? 0 : 1] ?? "", data, port);
    browser = await launchChromium();
    page = await browser.newPage();
    page.on("request", (request) => void (request.url().includes("/train-lora/") && requests.push(new URL(request.url()).pathname)));
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.waitForSelector("#txt2img_prompt");
    await page.addStyleTag({ content: style });
    await page.addScriptTag({ type: "module", content: module });
    await page.waitForFunction(() => window.trainLoraHost !== undefined);
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    webui?.kill("SIGKILL");
    rmSync(data, { recursive: true, force: true });
  });

  it("costs one small request before it is opened, and leaves no token in the page", async () => {
    await page.waitForTimeout(500);
    expect(requests).toEqual(["/train-lora/status"]);
    expect(await page.innerHTML("#train_lora_mount")).not.toContain("data-token");
    expect(await page.isVisible("#train_lora_paste_text")).toBe(false);
  });

  it("shows the set-up when it is opened for the first time", async () => {
    await page.evaluate(() => window.trainLoraHost?.openTab());
    await page.waitForSelector("#train_lora_mount train-lora-setup", { state: "attached" });
    expect(await page.getAttribute("train-lora-setup", "base")).toBe("/train-lora");
  });

  it("fills txt2img by the WebUI's own paste and goes there", async () => {
    await page.evaluate((text) => window.trainLoraHost?.pasteIntoTxt2img(text), infotext);
    expect(await page.inputValue("#txt2img_prompt textarea")).toBe("a lantern keeper");
    expect(await page.inputValue("#txt2img_neg_prompt textarea")).toBe("blurry");
    expect(await page.isVisible("#txt2img_prompt textarea")).toBe(true);
  });

  it("has what the WebUI's own keys press in every tab, out of sight", async () => {
    for (const key of ["generate", "interrupt", "skip"]) {
      const button = page.locator(`#train_lora_mount button[id$=_${key}]`);
      expect(await button.count()).toBe(1);
      expect(await button.isVisible()).toBe(false);
    }
  });

  it("gets the token of a WebUI that was restarted", async () => {
    const before = await page.evaluate(() => window.trainLoraHost?.token);
    webui.kill("SIGKILL");
    webui = await startWebui(webui.spawnfile, data, port);
    expect(await page.evaluate(() => window.trainLoraHost?.renewToken?.())).toBe(true);
    expect(await page.evaluate(() => window.trainLoraHost?.token)).not.toBe(before);
  }, 60_000);
});

async function startWebui(python: string, data: string, port: number): Promise<ChildProcess> {
  const child = spawn(python, [join(root, "test", "extension", "stand_in_webui.py"), "--port", String(port), "--train-lora-no-autostart"], {
    // A trainer that is not there, so that the set-up has something to do on every machine.
    env: {
      ...process.env,
      STAND_IN_DATA: data,
      STAND_IN_IDLE_EXIT: "1",
      GRADIO_ANALYTICS_ENABLED: "False",
      TRAIN_LORA_VENV: join(data, "none"),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  for await (const line of createInterface(child.stdout)) if (line.includes('"ready"')) return child;
  throw new Error("The stand-in WebUI ended before it was ready.");
}
