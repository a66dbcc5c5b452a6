import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkoutRoot } from "../../server/checkout.js";
import { homePaths, resolveHome } from "../../server/paths.js";
import { trainerEnvironment } from "../../server/trainer/trainer-process.js";
import { ensureTrainer, trainerFolder } from "../../server/trainer/venv.js";
import type { House } from "./house.js";
import { fastestReload } from "./reload-ui.js";
import { enqueue, runIds } from "./runs.js";

const SETUP_MS = 1_200_000;
const TRAINING_MS = 600_000;
const SETTINGS = { targetSteps: "48", epochs: "2", batchSize: "4", networkDim: "8", networkAlpha: "8" };

/** The file that keeps what the WebUI's Python held before anything of ours was there. */
export const PACKAGES_BEFORE = "packages-before.txt";
/** The file that keeps how many milliseconds Reload UI took then. */
export const RELOAD_BEFORE = "reload-before.txt";

/** From a WebUI without us to a trained LoRA in its Lora tab. */
export function describeRoad(house: () => House): void {
  describe("the road to a LoRA", () => {
    test("a WebUI without us is measured", async (context) => {
      const { webui, tab, figures } = house();
      context.skip(runIds(webui).length > 0, "the data folder is kept from an earlier run");
      writeFileSync(join(webui.dataDir, PACKAGES_BEFORE), webui.packages());
      await tab.page.goto(webui.url);
      const isBack = () => tab.page.locator("#txt2img_generate").waitFor({ timeout: 60_000 });
      await isBack();
      const fastest = (await fastestReload(house(), isBack, { tries: 3 })).toFixed(0);
      writeFileSync(join(webui.dataDir, RELOAD_BEFORE), fastest);
      figures.set("Reload UI without us, ms", fastest);
    });

    test("the Extensions tab installs it from its address, and after a restart the tab is there", async (context) => {
      const { webui, tab } = house();
      context.skip(runIds(webui).length > 0);
      await tab.openTab("Extensions");
      await tab.page.locator("#tabs_extensions > .tab-nav > button").filter({ hasText: "Install from URL" }).click();
      await tab.page.getByLabel("URL for extension's git repository").fill(`file://${checkoutRoot()}`);
      await tab.page.getByRole("button", { name: "Install", exact: true }).click();
      await tab.page.locator("#extension_install_result").filter({ hasText: "Installed into" }).last().waitFor({ timeout: 300_000 });
      await webui.stop();
      await webui.start();
      await tab.page.goto(webui.url);
      await tab.openTab("Train LoRA");
    });

    test(
      "the set-up panel brings everything, and the page follows it",
      async (context) => {
        const { webui, tab } = house();
        context.skip(runIds(webui).length > 0);
        const panel = tab.page.locator("train-lora-setup");
        await panel.getByRole("button", { name: "Set up" }).waitFor({ timeout: 60_000 });
        await tab.keep("1-setup");
        await panel.getByRole("button", { name: "Set up" }).click();
        await tab.page.locator("train-lora-app").waitFor({ timeout: SETUP_MS });
        await tab.isLive();
        await tab.keep("2-page");
      },
      SETUP_MS,
    );

    test("a data set is imported and its problems are solved", async (context) => {
      const { webui, tab } = house();
      context.skip(runIds(webui).length > 0);
      await tab.by("import-path").fill(await drawPictures(webui.dataDir));
      await tab.by("import-name").fill("mossling");
      await tab.by("import-button").click();
      await tab.by("fix-all").waitFor({ timeout: 60_000 });
      await tab.by("trigger-word").fill("mossling");
      await tab.by("save-trigger-word").click();
      await fixAll(house());
      await tab.by("next-step").click();
      await fixAll(house());
      await tab.by("next-step").click();
      await tab.by("base-model").filter({ hasText: "loaded in the WebUI" }).waitFor();
      await tab.keep("3-plan");
    });

    test(
      "it trains on the model that is loaded in the WebUI, and the epochs are in its Lora tab without a press of Refresh",
      async (context) => {
        const { webui, tab } = house();
        context.skip(runIds(webui).length > 0);
        await enqueue(tab, SETTINGS);
        await tab.page.locator('[data-epoch="1"]').first().waitFor({ timeout: TRAINING_MS });
        await tab.keep("4-run");
        await tab.by("report").waitFor({ timeout: TRAINING_MS });
        const saved = readdirSync(webui.loraDir).filter((file) => file.endsWith(".safetensors"));
        expect(saved.sort()).toEqual(["mossling-000001.safetensors", "mossling.safetensors"]);
        await tab.openTab("txt2img");
        await tab.page.locator("#txt2img_extra_tabs > .tab-nav > button").filter({ hasText: "Lora" }).click();
        await tab.page.locator('#txt2img_lora_cards .card[data-name="mossling"]').waitFor({ timeout: 30_000 });
        await tab.keep("5-cards");
        await tab.openTab("Train LoRA");
      },
      TRAINING_MS * 2,
    );
  });
}

async function fixAll({ tab }: House): Promise<void> {
  await tab.by("fix-all").click();
  await tab.by("apply-fixes").click();
  await tab.by("fix-all").waitFor({ state: "detached" });
}

async function drawPictures(dataDir: string): Promise<string> {
  const pictures = join(dataDir, "pictures");
  const { python } = await ensureTrainer(homePaths(resolveHome()));
  execFileSync(python, ["-m", "pocket.demo_dataset", pictures, "--seed", "7"], { cwd: trainerFolder(), env: trainerEnvironment() });
  return pictures;
}
