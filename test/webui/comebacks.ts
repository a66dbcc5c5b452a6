import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { House } from "./house.js";
import { byApi } from "./pictures.js";
import { isAlive, serverOf, trainerOf } from "./processes.js";
import { fastestReload, reloadUi } from "./reload-ui.js";
import { RELOAD_BEFORE } from "./road.js";
import { enqueue, eventsOfType, stopRuns } from "./runs.js";
import { openWebuiTab, type WebuiTab } from "./webui-tab.js";

const TRAINING_MS = 600_000;
const PICTURE = { prompt: "a red house", steps: 4, width: 64, height: 64, seed: 1 };
const SETTINGS = {
  ...{ gridWeights: "1", gridSteps: "4", batchSize: "4", networkDim: "8", networkAlpha: "8" },
  ...{ targetSteps: "320", epochs: "20" },
};
/** Beyond what two measurements on a busy machine differ by. */
const NOISE_MS = 1500;

/** Whatever ends, the run goes on, the queue is free and the page comes back. */
export function describeComebacks(house: () => House): void {
  describe("coming back", () => {
    let run = "";
    let other: WebuiTab;
    const saves = () => eventsOfType(house().webui, run, "saved").length;
    const steps = () => eventsOfType(house().webui, run, "step").length;
    const trains = async () => {
      const before = steps();
      await expect.poll(steps, { timeout: 120_000 }).toBeGreaterThan(before + 2);
    };

    beforeAll(async () => {
      await house().tab.enter();
      await stopRuns(house().webui, house().tab);
    });

    test("Reload UI takes no longer with our live tab than without us, and the tab comes back by itself", async () => {
      const { webui, tab, figures } = house();
      const before = Number(readFileSync(join(webui.dataDir, RELOAD_BEFORE), "utf8"));
      const fastest = await fastestReload(house(), tab.isLive, { tries: 8, enough: before });
      figures.set("Reload UI with us and a live tab, ms", fastest.toFixed(0));
      expect(fastest).toBeLessThan(before + NOISE_MS);
    });

    test(
      "Reload UI while training: it goes on, and two browsers show by themselves what happened meanwhile",
      async () => {
        const { tab } = house();
        run = await enqueue(tab, SETTINGS);
        other = await openWebuiTab(house(), { colorScheme: "dark" });
        await other.enter(`?__theme=dark#train-lora/runs/${run}`);
        await tab.page.locator('[data-gpu="held"]').waitFor({ timeout: 120_000 });
        await trains();
        const before = steps();
        await reloadUi(house());
        for (const one of [tab, other]) await one.isLive();
        expect(steps()).toBeGreaterThan(before);
        await expect.poll(saves, { timeout: 120_000 }).toBeGreaterThan(0);
        for (const one of [tab, other]) await one.page.locator('[data-epoch="1"]').first().waitFor();
        await other.keep("12-second-browser-dark");
        await tab.page.locator('[data-gpu="held"]').waitFor({ timeout: 60_000 });
      },
      TRAINING_MS,
    );

    test(
      "kill -9 of the WebUI: the run goes on, and the new WebUI finds it, with its queue held again",
      async () => {
        const { webui, tab } = house();
        await webui.stop("SIGKILL");
        await trains();
        await tab.page.locator("tl-connection .bar").waitFor({ timeout: 30_000 });
        await tab.keep("13-webui-gone");
        await webui.start();
        for (const one of [tab, other]) await one.isLive(120_000);
        await tab.page.locator('[data-gpu="held"]').waitFor({ timeout: 120_000 });
        await trains();
      },
      TRAINING_MS,
    );

    test(
      "kill -9 of the trainer: the queue is free, the page says what happened, and the run can go on",
      async () => {
        const { webui, tab } = house();
        process.kill(trainerOf(webui, run), "SIGKILL");
        await tab.by("failure").first().waitFor({ timeout: 30_000 });
        await tab.keep("14-trainer-killed");
        expect((await byApi(webui, PICTURE)).length).toBeGreaterThan(100);
        await tab.by("resume").first().click();
        await tab.page.locator('[data-gpu="held"]').waitFor({ timeout: 120_000 });
        await trains();
      },
      TRAINING_MS,
    );

    test(
      "kill -9 of the server: the queue is free, no trainer stays behind, and the next server goes on with the run",
      async () => {
        const { webui, tab } = house();
        const [server, trainer] = [serverOf(webui).pid, trainerOf(webui, run)];
        process.kill(server, "SIGKILL");
        expect((await byApi(webui, PICTURE)).length).toBeGreaterThan(100);
        await expect.poll(() => isAlive(trainer), { timeout: 60_000 }).toBe(false);
        for (const one of [tab, other]) await one.isLive(120_000);
        expect(serverOf(webui).pid).not.toBe(server);
        await expect.poll(() => trainerOf(webui, run), { timeout: 120_000 }).not.toBe(trainer);
        await trains();
        await tab.by("stop").click();
        await expect.poll(() => isAlive(trainerOf(webui, run)), { timeout: 60_000 }).toBe(false);
        expect((await byApi(webui, PICTURE)).length).toBeGreaterThan(100);
        await other.page.context().close();
      },
      TRAINING_MS,
    );

    test("the WebUI's own keys do nothing in our tab, and fail in none of its scripts", async () => {
      const { tab } = house();
      const thrown: string[] = [];
      tab.page.on("pageerror", ({ message }) => void thrown.push(message));
      await tab.page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
      for (const key of ["Control+Enter", "Alt+Enter", "Escape"]) await tab.page.keyboard.press(key);
      expect(thrown).toEqual([]);
    });
  });
}
