import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import type { House } from "./house.js";

export const screenshots = fileURLToPath(new URL("../e2e/screenshots/", import.meta.url));

/** One page of the WebUI with our tab in it. */
export type WebuiTab = {
  readonly page: Page;
  /** An element of ours by its `data-test`. */
  by(name: string): Locator;
  /** Opens a tab of the WebUI by its label. */
  openTab(label: string): Promise<void>;
  /** Shows a place of ours, such as `runs`. */
  go(place: string): Promise<void>;
  /** Loads the page, opens our tab and waits until it is live. */
  enter(query?: string): Promise<void>;
  isLive(patience?: number): Promise<void>;
  keep(name: string): Promise<unknown>;
};

export async function openWebuiTab(
  { browser, webui }: Pick<House, "browser" | "webui">,
  options: BrowserContextOptions = {},
): Promise<WebuiTab> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, locale: "en-US", ...options });
  const page = await context.newPage();
  const by = (name: string) => page.locator(`[data-test="${name}"]`);
  const openTab = (label: string) =>
    page
      .locator("#tabs > .tab-nav > button")
      .filter({ hasText: new RegExp(`^\\s*${label}\\s*$`, "i") })
      .first()
      .click();
  const isLive = (timeout = 60_000) => by("live").filter({ hasText: /live/ }).waitFor({ timeout });
  mkdirSync(screenshots, { recursive: true });
  return {
    page,
    by,
    openTab,
    isLive,
    go: (place) => page.evaluate((hash) => location.assign(hash), `#train-lora/${place}`),
    async enter(query = "") {
      await page.goto(`${webui.url}/${query}`);
      await openTab("Train LoRA");
      await page.locator("train-lora-app, train-lora-setup").waitFor({ timeout: 60_000 });
      // A data folder that is kept may hold an extension that was updated meanwhile.
      const panel = page.locator("train-lora-setup");
      if (await panel.isVisible()) await panel.getByRole("button", { name: /Set up|Update/ }).click();
      await isLive(600_000);
    },
    keep: (name) => page.screenshot({ path: join(screenshots, `webui-${name}.png`) }),
  };
}
