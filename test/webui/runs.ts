import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { JobEvent } from "../../protocol/job.js";
import type { RealWebui } from "./real-webui.js";
import type { WebuiTab } from "./webui-tab.js";

export type EventOf<Type extends JobEvent["type"]> = Extract<JobEvent, { type: Type }>;

/** The runs of this WebUI, oldest first. */
export function runIds({ dataDir }: RealWebui): string[] {
  const folder = runsFolder(dataDir);
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => !name.startsWith("."))
        .sort()
    : [];
}

/** What has happened to a run so far, as its folder tells. */
export function eventsOf({ dataDir }: RealWebui, run: string): JobEvent[] {
  const file = join(runsFolder(dataDir), run, "events.jsonl");
  if (!existsSync(file)) return [];
  const whole = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return whole.map((line) => JobEvent.parse(JSON.parse(line)));
}

export function eventsOfType<Type extends JobEvent["type"]>(webui: RealWebui, run: string, type: Type): EventOf<Type>[] {
  return eventsOf(webui, run).filter((event): event is EventOf<Type> => event.type === type);
}

/** Cells that the WebUI has drawn for a run, each with its file on disk. */
export function drawnCells(webui: RealWebui, run: string): { cell: EventOf<"webuiCell">; path: string }[] {
  return eventsOfType(webui, run, "webuiCell").map((cell) => ({ cell, path: join(runsFolder(webui.dataDir), run, "webui", cell.file) }));
}

/** Plans a run of the data set by clicking, puts it into the queue and resolves with its id. */
export async function enqueue(tab: WebuiTab, settings: Readonly<Record<string, string>>): Promise<string> {
  await tab.go("datasets/mossling/plan");
  await tab.by("plan-sum").waitFor();
  await tab.page.locator("details:not([open]) > summary", { hasText: "All settings" }).click();
  for (const [key, value] of Object.entries(settings)) {
    const field = tab.page.locator(`[data-setting="${key}"]`).first();
    await field.fill(value);
    await field.press("Tab");
  }
  await tab
    .by("plan-sum")
    .filter({ hasText: new RegExp(`in ${settings.epochs} epoch`) })
    .waitFor();
  await tab.by("enqueue").click();
  await tab.page.waitForFunction(() => location.hash.startsWith("#train-lora/runs/"));
  return tab.page.evaluate(() => decodeURIComponent(location.hash.split("/")[2]?.split("?")[0] ?? ""));
}

/** Stops what an earlier test has left in the queue. */
export async function stopRuns(webui: RealWebui, tab: WebuiTab): Promise<void> {
  for (const run of runIds(webui)) {
    if (isOver(webui, run)) continue;
    await tab.go(`runs/${run}`);
    await tab.by("stop").click();
    await vi.waitUntil(() => isOver(webui, run), { timeout: 60_000 });
  }
}

function isOver(webui: RealWebui, run: string): boolean {
  const status = eventsOfType(webui, run, "status").at(-1)?.status ?? "queued";
  return (
    ["finished", "failed", "stopped"].includes(status) ||
    eventsOf(webui, run).some(({ type }) => ["finished", "stopped", "failed"].includes(type))
  );
}

function runsFolder(dataDir: string): string {
  return join(dataDir, "train-lora", "runs");
}
