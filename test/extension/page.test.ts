import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChromium } from "../e2e/chromium.js";
import { freePort } from "./free-port.js";
import { addScript, gradios, openPage, runScript, startWebui } from "./gradio-webui.js";

const infotext = "a lantern keeper\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 6, Seed: 1";

describe.skipIf(gradios.length === 0)("the tab in a page", () => {
  describe.each(gradios)("of %s", (_line, python) => {
    const data = mkdtempSync(join(tmpdir(), "train-lora-page-"));
    const requests: string[] = [];
    let port: number;
    let webui: ChildProcess;
    let browser: Browser;
    let page: Page;

    beforeAll(async () => {
      port = await freePort();
      webui = await startWebui(python, data, port);
      browser = await launchChromium();
      page = await openPage(browser, `http://127.0.0.1:${port}/`);
      page.on("request", (request) => void (request.url().includes("/train-lora/") && requests.push(new URL(request.url()).pathname)));
    }, 90_000);

    afterAll(async () => {
      await browser?.close();
      webui?.kill("SIGKILL");
      rmSync(data, { recursive: true, force: true });
    });

    it("says that its script is missing, until it is there", async () => {
      await page.waitForSelector("#train_lora_mount", { state: "attached" });
      expect(await page.textContent("#train_lora_mount")).toContain("has not loaded the script");
      await runScript(page);
      expect((await page.textContent("#train_lora_mount .train-lora-mount"))?.trim()).toBe("");
    });

    it("costs one small request before it is opened, and leaves no token in the page", async () => {
      await page.waitForTimeout(500);
      expect(requests).toEqual(["/train-lora/status"]);
      expect(await page.innerHTML("#train_lora_mount")).not.toContain("data-token");
      expect(await page.isVisible("#train_lora_paste_text")).toBe(false);
    });

    it("shows the set-up when it is opened for the first time, and then changes nothing in the WebUI's own page", async () => {
      await page.evaluate(() => window.trainLoraHost?.openTab());
      await page.waitForSelector("#train_lora_mount train-lora-setup", { state: "attached" });
      expect(await page.getAttribute("train-lora-setup", "base")).toBe("/train-lora");
      await page.waitForFunction(() => document.querySelector("train-lora-setup")?.shadowRoot?.textContent?.includes("Node"));
      expect(await changesWithin(page, 1500)).toBe(0);
    });

    it("fills txt2img by the WebUI's own paste and goes there", async () => {
      await page.evaluate((text) => window.trainLoraHost?.pasteIntoTxt2img(text), infotext);
      expect(await page.inputValue("#txt2img_prompt textarea")).toBe("a lantern keeper");
      expect(await page.inputValue("#txt2img_neg_prompt textarea")).toBe("blurry");
      expect(await page.isVisible("#txt2img_prompt textarea")).toBe(true);
    });

    it("has the cards read anew once for epochs that come close together", async () => {
      const pressed = await page.evaluate(async () => {
        const button = Object.assign(document.createElement("button"), { id: "txt2img_lora_extra_refresh_internal" });
        let times = 0;
        button.addEventListener("click", () => (times += 1));
        document.body.append(button);
        for (const name of ["a-000001", "a-000002", "a-000003"]) window.trainLoraHost?.refreshCards([name]);
        window.trainLoraHost?.refreshCards([]);
        await new Promise((resolve) => setTimeout(resolve, 4500));
        button.remove();
        return times;
      });
      expect(pressed).toBe(1);
    }, 15_000);

    it("has what the WebUI's own keys press in every tab, out of sight", async () => {
      for (const key of ["generate", "interrupt", "skip"]) {
        const button = page.locator(`#train_lora_mount button[id$=_${key}]`);
        expect(await button.count()).toBe(1);
        expect(await button.isVisible()).toBe(false);
      }
    });

    it("does nothing in a page whose owner has hidden the tab", async () => {
      const other = await openPage(browser, `http://127.0.0.1:${port}/`);
      const asked: string[] = [];
      other.on("request", (request) => void asked.push(request.url()));
      await other.waitForSelector("#train_lora_mount", { state: "attached" });
      await other.evaluate(() => document.querySelector("#train_lora_mount")?.remove());
      await addScript(other);
      await other.waitForTimeout(500);
      expect(await other.evaluate(() => window.trainLoraHost)).toBeUndefined();
      expect(asked.filter((address) => address.includes("/train-lora/"))).toEqual([]);
    });

    it("shows why the server could not be started, and tries again when asked", async () => {
      const message = "The port 7870 is taken by another program.";
      const access = { level: "full", reason: "none", hideFolders: false };
      const asked: string[] = [];
      const other = await openPage(browser, `http://127.0.0.1:${port}/`);
      await other.route("**/train-lora/status", (route) => route.fulfill({ json: { state: "failed", message, access } }));
      await other.route("**/train-lora/start", (route) => {
        asked.push(route.request().method());
        return route.fulfill({ json: {} });
      });
      await runScript(other);
      await other.evaluate(() => window.trainLoraHost?.openTab());
      await other.getByText(message).waitFor();
      await other.getByRole("button", { name: "Try again" }).click();
      await expect.poll(() => asked).toEqual(["POST"]);
    }, 30_000);

    it("gets the token of a WebUI that was restarted", async () => {
      const before = await page.evaluate(() => window.trainLoraHost?.token);
      webui.kill("SIGKILL");
      webui = await startWebui(python, data, port);
      expect(await page.evaluate(() => window.trainLoraHost?.renewToken?.())).toBe(true);
      expect(await page.evaluate(() => window.trainLoraHost?.token)).not.toBe(before);
    }, 60_000);
  });
});

/** How often the WebUI would have called every extension, had its observer been this one. */
function changesWithin(page: Page, ms: number): Promise<number> {
  return page.evaluate(async (wait) => {
    let changes = 0;
    const observer = new MutationObserver((records) => (changes += records.length));
    observer.observe(document.querySelector("#tab_train_lora") ?? document.body, { childList: true, subtree: true });
    await new Promise((resolve) => setTimeout(resolve, wait));
    observer.disconnect();
    return changes;
  }, ms);
}
