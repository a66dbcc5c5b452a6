import { readFileSync } from "node:fs";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { generate, pasteInfotext } from "./generate.js";
import type { House } from "./house.js";
import { byApi, difference, infotextOf, newPictures } from "./pictures.js";
import { drawnCells, runIds } from "./runs.js";

const PROMPT = "mossling, 1creature, solo";
const PLOT =
  'Script: X/Y/Z plot, X Type: [Train LoRA] Epoch, X Values: "mossling-000001,mossling", ' +
  'Y Type: [Train LoRA] Weight, Y Values: "0,1", Z Type: Nothing';
const BASE = "Steps: 6, Sampler: DDIM, Schedule type: Automatic, CFG scale: 7, Seed: 1, Size: 128x128, Denoising strength: 0.75";

/** Our two axes where the WebUI's own page draws. */
export function describeAxes(house: () => House): void {
  describe("the axes of epochs and weights", () => {
    beforeAll(() => house().tab.enter());

    test("a sheet that Draw now has saved fills the plot again", async () => {
      const { webui, tab } = house();
      const sheets = newPictures(webui, "txt2img-grids", 0).filter((file) => file.includes("train_lora_grid"));
      const infotext = await infotextOf(sheets[0] ?? "");
      await pasteInfotext(house(), "txt2img", infotext);
      const chosen = tab.page.locator("#script_txt2img_xyz_plot_x_type").locator("xpath=../..").locator(".token");
      await expect.poll(() => chosen.allInnerTexts()).toEqual(["mossling-000001", "mossling"]);
      expect(await tab.page.locator("#script_txt2img_xyz_plot_y_values textarea").inputValue()).toBe("0.4,0.6,0.8,1,1.2");
    });

    test("hires fix draws each epoch and weight, and weight 0 is no LoRA", async () => {
      const { webui } = house();
      const text = `${PROMPT} <lora:mossling:1>\n${BASE}, Hires upscale: 1.5, Hires steps: 4, Hires upscaler: Latent, ${PLOT}`;
      await pasteInfotext(house(), "txt2img", text);
      const cells = await byTag(await generate(house(), "txt2img", 4));
      await expectEpochsToDiffer(cells);
      const { infotext = "", file = "" } = cells.get("<lora:mossling:0>") ?? {};
      expect(infotext).toContain("Hires upscale: 1.5");
      expect((await sharp(file).metadata()).width).toBe(192);
      // The WebUI's API does not read its own page's "Use same sampler".
      const sampler = { hr_sampler_name: "DDIM", hr_scheduler: "Automatic" };
      expect(await difference(await byApi(webui, { infotext, prompt: PROMPT, ...sampler }), file)).toBe(0);
    });

    test("img2img draws each epoch and weight, and weight 0 is no LoRA", async () => {
      const { webui, tab } = house();
      await pasteInfotext(house(), "img2img", `${PROMPT} <lora:mossling:1>\n${BASE}, ${PLOT}`);
      const picture = drawnCells(webui, runIds(webui)[0] ?? "")[0]?.path ?? "";
      await tab.page.locator('#img2img_image input[type="file"]').setInputFiles(picture);
      await tab.page.locator("#img2img_image img").first().waitFor();
      const cells = await byTag(await generate(house(), "img2img", 4));
      await expectEpochsToDiffer(cells);
      await tab.keep("8-img2img");
      const { infotext = "", file = "" } = cells.get("<lora:mossling:0>") ?? {};
      const { width, height } = await sharp(file).metadata();
      const fields = { infotext, prompt: PROMPT, init_images: [readFileSync(picture, "base64")], width, height };
      const plain = await byApi(webui, fields, "img2img");
      expect(await difference(plain, file)).toBe(0);
    });
  });
}

type Cells = Map<string, { file: string; infotext: string }>;

async function byTag(files: readonly string[]): Promise<Cells> {
  const cells = await Promise.all(files.map(async (file) => ({ file, infotext: await infotextOf(file) })));
  return new Map(cells.map((cell) => [/<lora:[^>]+>/.exec(cell.infotext)?.[0] ?? "", cell]));
}

async function expectEpochsToDiffer(cells: Cells): Promise<void> {
  const tags = ["mossling-000001:0", "mossling-000001:1", "mossling:0", "mossling:1"].map((name) => `<lora:${name}>`);
  expect([...cells.keys()].sort()).toEqual(tags.sort());
  const between = (one: string, other: string) =>
    difference(cells.get(`<lora:${one}>`)?.file ?? "", cells.get(`<lora:${other}>`)?.file ?? "");
  expect(await between("mossling-000001:0", "mossling:0")).toBe(0);
  expect(await between("mossling-000001:1", "mossling:1")).toBeGreaterThan(5);
  expect(await between("mossling:0", "mossling:1")).toBeGreaterThan(5);
}
