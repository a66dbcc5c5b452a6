import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename, delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openForwardProxy } from "./forward-proxy.js";
import type { House } from "./house.js";
import { byApi } from "./pictures.js";
import { endServer } from "./processes.js";
import { PACKAGES_BEFORE } from "./road.js";
import { runIds } from "./runs.js";

const SETUP_MS = 600_000;
const PICTURE = { prompt: "a red house", steps: 4, width: 64, height: 64, seed: 1 };

/** What may be wrong around the extension, and that it leaves the WebUI as it was. */
export function describeBadCases(house: () => House): void {
  describe("with the Lora extension switched off and a port that is taken", () => {
    const config = () => join(house().webui.dataDir, "config.json");
    beforeAll(() => house().tab.enter());
    afterAll(() => rmSync(config(), { force: true }));

    test("the tab says that the port is taken, and Try again starts it once the port is free", async () => {
      const { webui, tab } = house();
      await webui.stop();
      await endServer(webui);
      const taker = createServer().listen(0, "127.0.0.1");
      await once(taker, "listening");
      const address = taker.address();
      const port = address !== null && typeof address === "object" ? address.port : 0;
      writeFileSync(config(), JSON.stringify({ disabled_extensions: ["Lora", "sd_forge_lora"] }));
      await webui.start({ args: ["--train-lora-port", String(port)] });
      await tab.page.goto(webui.url);
      await tab.openTab("Train LoRA");
      await tab.page
        .getByText(`The port ${port} is taken by another program. Choose another one with --train-lora-port`)
        .waitFor({ timeout: 60_000 });
      await tab.keep("17-port-taken");
      taker.close();
      await tab.page.getByRole("button", { name: "Try again" }).click();
      await tab.isLive();
    });

    test("without the Lora extension it says what can't be done, and Draw now says what to do", async () => {
      const { webui, tab } = house();
      await tab.go("settings");
      await tab.by("webui-facts").filter({ hasText: "its Lora extension is off" }).waitFor();
      await tab.go(`grids/${runIds(webui)[0]}`);
      await tab.by("verdict").waitFor();
      await tab.by("draw-now").click();
      await tab.by("failure").filter({ hasText: "Lora extension is switched off" }).waitFor();
      await tab.keep("18-no-lora-extension");
    });
  });

  describe("a set-up without Node and without the internet", () => {
    test(
      "says so in a sentence, and Try again goes on with a Node of its own once the internet is there",
      async () => {
        const { webui, tab } = house();
        await webui.stop();
        await endServer(webui);
        const port = webui.port + 1;
        await webui.start({ env: { PATH: pathWithoutNode(webui.dataDir), ...proxyVariables(port) } });
        const restore = takeAway(webui.dataDir);
        await tab.page.goto(webui.url);
        await tab.openTab("Train LoRA");
        const panel = tab.page.locator("train-lora-setup");
        await panel.getByRole("checkbox").waitFor({ timeout: 60_000 });
        expect(await panel.getByRole("checkbox").isChecked()).toBe(true);
        await tab.keep("19-no-node");
        await panel.getByRole("button", { name: /Set up|Update/ }).click();
        await panel
          .getByRole("alert")
          .filter({ hasText: /internet|network|proxy/i })
          .waitFor({ timeout: 120_000 });
        await tab.keep("20-no-internet");
        const proxy = await openForwardProxy(port);
        await panel.getByRole("button", { name: "Try again" }).click();
        await tab.isLive(SETUP_MS);
        proxy.close();
        restore();
      },
      SETUP_MS,
    );
  });

  describe("without the WebUI's page", () => {
    test("the WebUI's API works, and ours asks for its token as ever", async () => {
      const { webui } = house();
      await webui.stop();
      const before = webui.log().length;
      await webui.start({ args: ["--nowebui"] });
      expect((await byApi(webui, PICTURE)).length).toBeGreaterThan(100);
      expect((await fetch(`${webui.url}/train-lora/status`)).status).toBe(401);
      expect(webui.log().slice(before)).not.toMatch(/\[Train LoRA\]|File ".*train_lora/);
    });
  });

  describe("after all of this", () => {
    test("the WebUI's Python holds the packages that it held before, not one more and not one less", () => {
      const { webui } = house();
      expect(webui.packages()).toBe(readFileSync(join(webui.dataDir, PACKAGES_BEFORE), "utf8"));
    });

    test("its console has neither our secrets nor an error of ours", () => {
      const { webui } = house();
      expect(webui.log()).not.toMatch(/Bearer [\w-]{20}|train-lora\.[\w-]{20}|callback failed|File ".*train_lora/);
    });
  });
}

/** Every program on PATH but Node's. */
function pathWithoutNode(dataDir: string): string {
  const folder = join(dataDir, "without-node");
  if (existsSync(folder)) return folder;
  mkdirSync(folder);
  for (const part of (process.env.PATH ?? "").split(delimiter)) {
    if (!existsSync(part)) continue;
    for (const name of readdirSync(part))
      if (!/^(node|nodejs|npm|npx|corepack)$/.test(name) && !existsSync(join(folder, name)))
        symlinkSync(join(part, name), join(folder, name));
  }
  return folder;
}

function proxyVariables(port: number): NodeJS.ProcessEnv {
  const proxy = `http://127.0.0.1:${port}`;
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
  return { ...Object.fromEntries(names.map((name) => [name, proxy])), NO_PROXY: "127.0.0.1,localhost", no_proxy: "127.0.0.1,localhost" };
}

/** Puts what the set-up has made aside; the function that comes back removes it for good. */
function takeAway(dataDir: string): () => void {
  const [extension = ""] = readdirSync(join(dataDir, "extensions")).map((name) => join(dataDir, "extensions", name));
  const aside = join(dataDir, "aside");
  mkdirSync(aside, { recursive: true });
  for (const name of ["node_modules", "dist"]) renameSync(join(extension, name), join(aside, basename(name)));
  return () => rmSync(aside, { recursive: true, force: true });
}
