import { statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { House } from "./house.js";
import { byApi } from "./pictures.js";
import { type EventOf, enqueue, eventsOf, eventsOfType, stopRuns } from "./runs.js";
import { openWebuiTab } from "./webui-tab.js";

const TRAINING_MS = 600_000;
const PICTURE = { prompt: "a red house", steps: 4, width: 64, height: 64, seed: 1 };
const SMALL_GRID = { gridWeights: "1", gridSteps: "4" };
const NETWORK = { batchSize: "4", networkDim: "8", networkAlpha: "8" };

/** Training and the user's own pictures with one GPU. */
export function describeTurns(house: () => House): void {
  describe("taking turns with the GPU", () => {
    beforeAll(async () => {
      await house().tab.enter();
      await stopRuns(house().webui, house().tab);
    });

    test(
      "with After each epoch, new cells are drawn while the trainer is parked, each once, and training goes on",
      async () => {
        const { webui, tab } = house();
        const firstLora = statSync(join(webui.loraDir, "mossling.safetensors")).mtimeMs;
        await drawAfterEachEpoch(house(), true);
        const run = await enqueue(tab, { ...NETWORK, ...SMALL_GRID, targetSteps: "27", epochs: "3" });
        await tab.by("report").waitFor({ timeout: TRAINING_MS });
        await expect.poll(() => eventsOfType(webui, run, "webuiDrawn").length, { timeout: 120_000 }).toBeGreaterThan(2);
        const cells = eventsOfType(webui, run, "webuiCell");
        expect(new Set(cells.map(({ file }) => file)).size).toBe(cells.length);
        expect(cells.map(({ epoch }) => epoch).sort()).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
        const [second] = eventsOfType(webui, run, "saved").filter(({ epoch }) => epoch === 2);
        expect(cells.filter(({ epoch }) => epoch === 1).every(({ time }) => time < (second?.time ?? 0))).toBe(true);
        expect(eventsOf(webui, run).filter(({ type }) => type === "parked").length).toBeGreaterThan(1);
        expect(eventsOfType(webui, run, "webuiDrawn").every(({ failure }) => failure === null)).toBe(true);
        // The name is taken since the first run: nothing of it is overwritten, and the grid is drawn with the new one.
        const last = eventsOfType(webui, run, "saved").at(-1)?.file.replace(".safetensors", "") ?? "";
        expect(last).toMatch(/^mossling-\d+$/);
        expect(cells.filter(({ epoch }) => epoch === 3).every(({ infotext }) => infotext.includes(`<lora:${last}:1>`))).toBe(true);
        expect(statSync(join(webui.loraDir, "mossling.safetensors")).mtimeMs).toBe(firstLora);
        await tab.openTab("txt2img");
        await tab.page.locator("#txt2img_extra_tabs > .tab-nav > button").filter({ hasText: "Lora" }).click();
        await tab.page.locator(`#txt2img_lora_cards .card[data-name="${last}"]`).waitFor();
        await tab.openTab("Train LoRA");
        await drawAfterEachEpoch(house(), false);
      },
      TRAINING_MS,
    );

    test(
      "a picture that waits is shown in our tab, and is drawn at the end of the epoch or at once with Generate now",
      async () => {
        const { webui, tab, figures } = house();
        const run = await enqueue(tab, { ...NETWORK, ...SMALL_GRID, targetSteps: "130", epochs: "5" });
        await tab.page.locator('[data-gpu="held"]').waitFor({ timeout: 120_000 });
        await expect.poll(() => steps(house(), run), { timeout: 60_000 }).toBeGreaterThan(2);
        const answered = byApi(webui, PICTURE).then(() => Date.now());
        await tab.by("gpu").filter({ hasText: "1 picture waits" }).waitFor();
        await tab.keep("10-waits");
        expect(await answered).toBeGreaterThan(savedAt(house(), run, 1));
        await tab.page.locator('[data-gpu="held"]').waitFor({ timeout: 60_000 });
        await expect
          .poll(() => stepsSince(house(), run, eventsOfType(webui, run, "unparked").at(-1)?.time ?? Infinity), { timeout: 60_000 })
          .toBeGreaterThan(2);
        const saved = eventsOfType(webui, run, "saved").length;
        const other = await openWebuiTab(house());
        await other.page.goto(webui.url);
        await other.page.locator("#txt2img_prompt textarea").fill("a red house");
        for (const [field, value] of [
          ["steps", "4"],
          ["width", "128"],
          ["height", "128"],
        ])
          await other.page.locator(`#txt2img_${field} input[type=number]`).fill(value ?? "");
        await other.page.locator("#txt2img_generate").click();
        await tab.by("gpu").filter({ hasText: "1 picture waits" }).waitFor();
        const asked = Date.now();
        await tab.by("lend-gpu").click();
        await other.page.locator("#txt2img_gallery img").first().waitFor({ timeout: 120_000 });
        figures.set("Generate now → picture in txt2img, s", ((Date.now() - asked) / 1000).toFixed(1));
        await other.keep("11-generated");
        expect(eventsOfType(webui, run, "saved")).toHaveLength(saved);
        await other.page.context().close();
        await tab.page.locator('[data-gpu="held"]').waitFor({ timeout: 60_000 });
        await expect.poll(() => eventsOfType(webui, run, "saved").length, { timeout: 120_000 }).toBeGreaterThan(saved);
      },
      TRAINING_MS,
    );

    test("after Stop the queue is free again", async () => {
      const { webui, tab } = house();
      await tab.by("stop").click();
      await tab.page.locator('[data-gpu="held"]').waitFor({ state: "detached", timeout: 60_000 });
      expect((await byApi(webui, PICTURE)).length).toBeGreaterThan(100);
    });
  });
}

async function drawAfterEachEpoch({ tab }: House, wanted: boolean): Promise<void> {
  await tab.go("settings");
  const box = tab.by("settings-draw-after-epoch");
  await box.setChecked(wanted);
  await expect.poll(async () => (await box.isEnabled()) && (await box.isChecked()) === wanted).toBe(true);
}

function steps({ webui }: House, run: string): number {
  return eventsOfType(webui, run, "step").at(-1)?.step ?? 0;
}

function stepsSince({ webui }: House, run: string, time: number): number {
  return eventsOfType(webui, run, "step").filter((event: EventOf<"step">) => event.time > time).length;
}

function savedAt({ webui }: House, run: string, epoch: number): number {
  return eventsOfType(webui, run, "saved").find((event) => event.epoch === epoch)?.time ?? Number.POSITIVE_INFINITY;
}
