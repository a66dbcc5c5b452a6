import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChromium } from "../e2e/chromium.js";
import { freePort } from "./free-port.js";
import { gradios, openPage, runScript, startProxy, startWebui } from "./gradio-webui.js";

const infotext = "a lantern keeper\nSteps: 20, Sampler: Euler a, CFG scale: 6, Seed: 1";

describe.skipIf(gradios.length === 0)("the tab in a browser behind a TLS proxy's sub-path", () => {
  describe.each(gradios)("before a WebUI of %s with a login and without gradio's queue", (_line, python) => {
    const data = mkdtempSync(join(tmpdir(), "train-lora-proxy-"));
    const processes: ChildProcess[] = [];
    let browser: Browser;
    let page: Page;
    let good: string;
    let foreign: string;

    beforeAll(async () => {
      const [port, kept, changed] = [await freePort(), await freePort(), await freePort()];
      const flags = ["--gradio-auth", "ann:pass", "--no-gradio-queue", "--subpath", "sd"];
      processes.push(await startWebui(python, data, port, ...flags));
      processes.push(await startProxy(kept, port, data, "--prefix", "/sd"));
      processes.push(await startProxy(changed, port, data, "--prefix", "/sd", "--host", `127.0.0.1:${port}`));
      [good, foreign] = [`https://127.0.0.1:${kept}/sd/`, `https://127.0.0.1:${changed}/sd/`];
      browser = await launchChromium();
      page = await logIn(browser, good);
    }, 120_000);

    afterAll(async () => {
      await browser?.close();
      for (const child of processes) child.kill("SIGKILL");
      rmSync(data, { recursive: true, force: true });
    });

    it("opens, and asks for nothing outside of its path", async () => {
      const outside: string[] = [];
      page.on(
        "request",
        (request) => void (request.url().includes("train-lora") && !request.url().startsWith(good) && outside.push(request.url())),
      );
      await runScript(page);
      await page.evaluate(() => window.trainLoraHost?.openTab());
      await page.waitForFunction(() => document.querySelector("train-lora-setup")?.shadowRoot?.textContent?.includes("Node"));
      expect(await page.getAttribute("train-lora-setup", "base")).toBe("/sd/train-lora");
      expect(outside).toEqual([]);
    }, 30_000);

    it("keeps its cookie to its own path and to TLS", async () => {
      const cookies = (await page.context().cookies()).filter((cookie) => cookie.name.startsWith("train-lora"));
      expect(cookies).toMatchObject([{ path: "/sd/train-lora", secure: true, httpOnly: true, sameSite: "Strict" }]);
    });

    it("fills txt2img without gradio's queue", async () => {
      await page.evaluate((text) => window.trainLoraHost?.pasteIntoTxt2img(text), infotext);
      expect(await page.inputValue("#txt2img_prompt textarea")).toBe("a lantern keeper");
    });

    it("says what to do where the proxy asks by a name of its own", async () => {
      const other = await logIn(browser, foreign);
      await runScript(other);
      await other.evaluate(() => window.trainLoraHost?.openTab());
      await other.getByText("behind a proxy, add its name in Settings → Train LoRA").waitFor();
    }, 30_000);

    it("asks for a new login when the old one has ended", async () => {
      const fresh = await logIn(browser, good);
      await runScript(fresh);
      await fresh.context().clearCookies();
      await fresh.evaluate(() => window.trainLoraHost?.openTab());
      await fresh.getByText("Log in to the WebUI again").waitFor();
    }, 30_000);
  });
});

async function logIn(browser: Browser, address: string): Promise<Page> {
  const page = await openPage(browser, address);
  const answer = await page.request.post(`${address}login`, { form: { username: "ann", password: "pass" } });
  expect(answer.status()).toBe(200);
  await page.goto(address);
  return page;
}
