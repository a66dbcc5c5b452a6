import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { launchChromium } from "../e2e/chromium.js";
import { endServer } from "./processes.js";
import { openRealWebui, type RealWebui } from "./real-webui.js";
import { openWebuiTab, screenshots, type WebuiTab } from "./webui-tab.js";

/** What all tests of this folder share: one WebUI, one browser, one page. */
export type House = {
  readonly webui: RealWebui;
  readonly browser: Browser;
  readonly tab: WebuiTab;
  /** What was measured, for the report at the end. */
  readonly figures: Map<string, string>;
  leave(): Promise<void>;
};

export async function openHouse(dir: string): Promise<House> {
  const webui = await openRealWebui(dir);
  const browser = await launchChromium();
  const tab = await openWebuiTab({ browser, webui });
  const figures = new Map<string, string>();
  return {
    webui,
    browser,
    tab,
    figures,
    async leave() {
      await browser.close();
      writeFileSync(join(screenshots, "webui.log"), webui.log());
      const lines = [...figures].map(([name, value]) => `${name}: ${value}`);
      process.stdout.write(`\n${lines.join("\n")}\n`);
      await webui.stop("SIGKILL");
      await endServer(webui).catch(() => undefined);
      await webui.leave();
    },
  };
}
