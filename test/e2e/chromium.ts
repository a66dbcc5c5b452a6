import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The chromium of CHROMIUM_PATH or PATH, headless, with a fresh profile. Throws a sentence when there is none. */
export function launchChromium(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH ?? find(["chromium", "chromium-browser", "google-chrome"]);
  if (executablePath === undefined)
    throw new Error(
      "Expected chromium on PATH (or its path in CHROMIUM_PATH) for the browser test but found none; install chromium and run again.",
    );
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}

function find(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
