import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { House } from "./house.js";
import { drawnCells, eventsOfType, runIds } from "./runs.js";
import { openSubPathProxy, type SubPathProxy } from "./sub-path-proxy.js";
import { openWebuiTab, type WebuiTab } from "./webui-tab.js";

const LOGIN = ["--gradio-auth", "moss:a-password", "--hide-ui-dir-config", "--freeze-settings", "--subpath", "sd"];

/** Who may come in, and how the WebUI may be started. */
export function describeDoors(house: () => House): void {
  describe("behind a sub-path, with a login, hidden folders and frozen settings", () => {
    let proxy: SubPathProxy;
    let tab: WebuiTab;

    beforeAll(async () => {
      const { webui } = house();
      await webui.stop();
      chooseCheckpoint(webui.dataDir);
      await webui.start({ args: LOGIN });
      proxy = await openSubPathProxy(webui.port, "sd");
      tab = await openWebuiTab(house());
    });
    afterAll(async () => {
      await tab?.page.context().close();
      proxy?.close();
    });

    test("who has logged in has the whole tab, and no address leads outside of the sub-path", async () => {
      const strays: string[] = [];
      tab.page.on("request", (request) => {
        const { pathname } = new URL(request.url());
        if (pathname.includes("train-lora") && !pathname.startsWith("/sd/")) strays.push(pathname);
      });
      await tab.page.goto(`${proxy.url}/`);
      await tab.page.getByLabel("username").fill("moss");
      await tab.page.getByLabel("password").fill("a-password");
      await tab.page.getByRole("button", { name: "Login" }).click();
      await tab.page.locator("#txt2img_prompt").waitFor({ timeout: 60_000 });
      await tab.openTab("Train LoRA");
      await tab.isLive();
      expect(strays).toEqual([]);
    });

    test("folders are not shown and none can be named", async () => {
      await tab.go("datasets");
      await tab.by("import-files").first().waitFor({ state: "attached" });
      expect(await tab.by("import-path").count()).toBe(0);
      await tab.go("settings");
      await tab.by("webui-facts").waitFor();
      expect(await tab.by("webui-facts").innerText()).not.toContain(house().webui.dataDir);
    });

    test("Draw now works although the settings are frozen", async () => {
      const { webui } = house();
      const run = runIds(webui).find((id) => drawnCells(webui, id).length === 0 && eventsOfType(webui, id, "saved").length > 0) ?? "";
      await tab.go(`grids/${run}`);
      await tab.by("draw-now").click();
      await expect.poll(() => eventsOfType(webui, run, "webuiDrawn").length, { timeout: 120_000 }).toBe(1);
      expect(eventsOfType(webui, run, "webuiDrawn")[0]?.failure).toBeNull();
      expect(drawnCells(webui, run).length).toBeGreaterThan(2);
    });

    test("a login that has ended is refused with a sentence, and the page says so", async () => {
      const { webui } = house();
      await webui.stop();
      await webui.start({ args: LOGIN });
      await tab.by("log-in").waitFor({ timeout: 60_000 });
      await tab.keep("15-logged-out");
      const refusal = await tab.page.evaluate(async () => {
        const answer = await fetch("./train-lora/status");
        return { status: answer.status, said: await answer.json() };
      });
      expect(refusal).toMatchObject({ status: 401, said: { code: "unauthorized", message: expect.stringContaining("log in again") } });
      await tab.by("log-in").click();
      await tab.page.getByLabel("username").waitFor();
    });
  });

  describe("open to others without a login", () => {
    beforeAll(async () => {
      const { webui, tab } = house();
      await webui.stop();
      await webui.start({ args: ["--listen"] });
      await tab.enter();
    });

    test("one may look, and the page says why nothing can be changed", async () => {
      const { webui, tab } = house();
      await tab.by("restricted").waitFor();
      await tab.go(`grids/${runIds(webui)[0]}`);
      await tab.by("verdict").waitFor();
      await tab.keep("16-restricted");
      expect(await tab.by("draw-now").isDisabled()).toBe(true);
      const refusal = await tab.page.evaluate(async () => {
        const headers = { "X-Train-Lora-Token": window.trainLoraHost?.token ?? "" };
        const answer = await fetch("./train-lora/start", { method: "POST", headers });
        return { status: answer.status, said: await answer.json() };
      });
      expect(refusal).toMatchObject({ status: 403, said: { code: "restricted", message: expect.stringContaining("--gradio-auth") } });
    });
  });
}

// Forge does not start with frozen settings before a checkpoint has been chosen.
function chooseCheckpoint(dataDir: string): void {
  const config = join(dataDir, "config.json");
  if (!existsSync(config)) writeFileSync(config, JSON.stringify({ sd_model_checkpoint: "pocket.safetensors" }));
}
