import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Browser, Page } from "playwright-core";
import type {} from "../../ui/data/webui.js";

const root = new URL("../..", import.meta.url).pathname;
const here = join(root, "test", "extension");
const module = readFileSync(join(root, "javascript", "train_lora.mjs"), "utf8");
const style = readFileSync(join(root, "style.css"), "utf8");
const developmentPython = process.env.TRAIN_LORA_TEST_PYTHON ?? "python3";

/**
 * Name and Python of each environment of test/extension/venvs.py, which are made here when they are missing. Without a Python that
 * fits these gradios there is none, and venvs.py says so.
 */
export const gradios: readonly (readonly [string, string])[] = execFileSync(developmentPython, [join(here, "venvs.py")], {
  encoding: "utf8",
})
  .split("\n")
  .filter((line) => line !== "")
  .map((python) => [python.includes("venv-gradio3") ? "gradio 3.41.2" : "gradio 4.40.0", python] as const);

/** A stand-in WebUI whose set-up has something to do on every machine, as its trainer is not there. */
export function startWebui(python: string, data: string, port: number, ...flags: string[]): Promise<ChildProcess> {
  const program = [join(here, "stand_in_webui.py"), "--port", String(port), "--train-lora-no-autostart", ...flags];
  return untilReady(python, program, {
    STAND_IN_DATA: data,
    STAND_IN_IDLE_EXIT: "1",
    GRADIO_ANALYTICS_ENABLED: "False",
    TRAIN_LORA_VENV: join(data, "none"),
  });
}

/** A reverse proxy by TLS on `port`, with a certificate of its own; see reverse_proxy.py. */
export function startProxy(port: number, target: number, folder: string, ...flags: string[]): Promise<ChildProcess> {
  const where = ["--port", String(port), "--target", String(target), "--folder", folder];
  return untilReady(developmentPython, [join(here, "reverse_proxy.py"), ...where, ...flags], {});
}

/** The page as the WebUI would show it: its own, then our style; our script comes with `runScript`. */
export async function openPage(browser: Browser, address: string): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-US" });
  const page = await context.newPage();
  await page.goto(address);
  return page;
}

export async function runScript(page: Page): Promise<void> {
  await addScript(page);
  await page.waitForFunction(() => window.trainLoraHost !== undefined);
}

/** The same for a page in which the script may have nothing to do. */
export async function addScript(page: Page): Promise<void> {
  await page.waitForSelector("#txt2img_prompt");
  await page.addStyleTag({ content: style });
  await page.addScriptTag({ type: "module", content: module });
}

async function untilReady(program: string, args: string[], env: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  const errors: string[] = [];
  createInterface(child.stderr).on("line", (line) => errors.push(line));
  for await (const line of createInterface(child.stdout)) if (line.includes('"ready"')) return child;
  throw new Error(`${args[0]} ended before it was ready: ${errors.slice(-5).join("\n")}`);
}
