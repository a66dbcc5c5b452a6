import { setTimeout as sleep } from "node:timers/promises";
import type { House } from "./house.js";
import { READY } from "./real-webui.js";

const PATIENCE_MS = 60_000;

/** Presses "Reload UI" and resolves with the milliseconds until the WebUI says that it is there again. */
export async function reloadUi({ webui, tab }: Pick<House, "webui" | "tab">): Promise<number> {
  const before = webui.log().length;
  const began = performance.now();
  await tab.page.getByRole("link", { name: "Reload UI" }).click();
  while (!READY.test(webui.log().slice(before))) {
    if (performance.now() - began > PATIENCE_MS) throw new Error("Reload UI has not come to its end within a minute.");
    await sleep(20);
  }
  return performance.now() - began;
}

/** The median of three reloads; the page has come back by itself after each. */
export async function medianReload(house: Pick<House, "webui" | "tab">, isBack: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < 3; count += 1) {
    times.push(await reloadUi(house));
    await isBack();
  }
  return times.sort((a, b) => a - b)[1] ?? 0;
}
