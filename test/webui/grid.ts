import { beforeAll, describe, expect, test } from "vitest";
import { generate } from "./generate.js";
import type { House } from "./house.js";
import { byApi, difference, infotextOf, newPictures } from "./pictures.js";
import { drawnCells, type EventOf, runIds } from "./runs.js";

const DRAWING_MS = 600_000;

/** Cells by the WebUI's own txt2img, and our axes in its X/Y/Z plot. */
export function describeGrid(house: () => House): void {
  describe("the grid in the WebUI", () => {
    const run = () => runIds(house().webui)[0] ?? "";

    beforeAll(async () => {
      await house().tab.enter();
      await house().tab.go(`grids/${run()}`);
      await house().tab.by("verdict").waitFor();
    });

    test(
      "Draw now draws every cell by the WebUI's own txt2img",
      async () => {
        const { webui, tab } = house();
        if (drawnCells(webui, run()).length === 0) {
          await tab.by("draw-now").click();
          await tab.by("draw-progress").waitFor();
          await tab.by("draw-progress").waitFor({ state: "detached", timeout: DRAWING_MS });
        }
        await tab.keep("6-webui-grid");
        expect(drawnCells(webui, run())).toHaveLength(3 + 2 * 5 * 3);
      },
      DRAWING_MS,
    );

    test("its no-LoRA column is plain txt2img, weight 0 is no LoRA, and a cell is the same picture by the API", async () => {
      const { webui } = house();
      const plain = cellOf(house(), run(), ({ epoch }) => epoch === 0);
      const strong = cellOf(house(), run(), ({ epoch, weight }) => epoch === 2 && weight === 1.2);
      const { infotext } = plain.cell;
      const prompt = `${infotext.split("\n")[0]} <lora:mossling:0>`;
      expect(await difference(await byApi(webui, { infotext }), plain.path)).toBe(0);
      expect(await difference(await byApi(webui, { infotext, prompt }), plain.path)).toBe(0);
      expect(await difference(await byApi(webui, { infotext: strong.cell.infotext }), strong.path)).toBe(0);
      expect(await difference(plain.path, strong.path)).toBeGreaterThan(20);
    });

    test("the WebUI's loader matched every key of our files", () => {
      expect(house().webui.log()).not.toMatch(
        /didn't match keys|unmatched|not matched|\[LORA\].*mismatch|skipped [1-9]\d* keys|lora key not loaded/i,
      );
    });

    test(
      "Open in txt2img fills the X/Y/Z plot over our axes, and Generate draws it",
      async () => {
        const { webui, tab } = house();
        await tab.by("open-txt2img").click();
        const values = tab.page.locator("#script_txt2img_xyz_plot_y_values textarea");
        await expect.poll(() => values.inputValue()).toMatch(/0\.4/);
        await tab.keep("7-txt2img");
        const since = Date.now();
        const cells = await generate(house(), "txt2img", 2 * 5);
        await tab.page.locator("#txt2img_gallery img").first().waitFor();
        await tab.keep("8-xyz");
        const [weak = "", strong = ""] = [cells[0], cells.at(-1)];
        expect(await difference(weak, cellOf(house(), run(), ({ epoch, weight }) => epoch === 1 && weight === 0.4).path)).toBe(0);
        expect(await difference(strong, cellOf(house(), run(), ({ epoch, weight }) => epoch === 2 && weight === 1.2).path)).toBe(0);
        const grid = await infotextOf(newPictures(webui, "txt2img-grids", since)[0] ?? "");
        expect(grid).toContain('X Type: [Train LoRA] Epoch, X Values: "mossling-000001,mossling", Y Type: [Train LoRA] Weight');
      },
      DRAWING_MS,
    );

    test("Send to txt2img fills the fields of one cell, and Generate gives the same picture", async () => {
      const { tab } = house();
      const { cell, path } = cellOf(house(), run(), ({ epoch, weight, prompt }) => epoch === 1 && weight === 0.8 && prompt === 1);
      await tab.openTab("Train LoRA");
      await tab.go(`grids/${run()}?source=webui&prompt=1`);
      await tab.page.locator('[data-test="grid-cell"][data-epoch="1"][data-weight="0.8"]').first().click();
      await tab.keep("9-cell");
      await tab.by("send-txt2img").first().click();
      const prompt = tab.page.locator("#txt2img_prompt textarea");
      await expect.poll(() => prompt.inputValue()).toBe(cell.infotext.split("\n")[0]);
      const [picture = ""] = await generate(house(), "txt2img", 1);
      expect(await difference(picture, path)).toBe(0);
    });
  });
}

function cellOf({ webui }: House, run: string, is: (cell: EventOf<"webuiCell">) => boolean): ReturnType<typeof drawnCells>[number] {
  const found = drawnCells(webui, run).find(({ cell }) => is(cell));
  if (found === undefined) throw new Error("The WebUI has not drawn that cell.");
  return found;
}
