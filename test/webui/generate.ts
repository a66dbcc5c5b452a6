import { expect } from "vitest";
import type { House } from "./house.js";
import { newPictures } from "./pictures.js";

export type Picturer = "txt2img" | "img2img";

/** Presses Generate and resolves with the pictures on disk once the WebUI's buttons are as before. */
export async function generate({ webui, tab }: House, kind: Picturer, pictures: number): Promise<string[]> {
  const since = Date.now();
  await tab.page.locator(`#${kind}_generate`).click();
  await expect.poll(() => newPictures(webui, `${kind}-images`, since).length, { timeout: 300_000 }).toBe(pictures);
  await tab.page.locator(`#${kind}_interrupt`).waitFor({ state: "hidden", timeout: 60_000 });
  return newPictures(webui, `${kind}-images`, since);
}

/** Pastes an infotext as a person does: into the prompt, then the arrow below Generate. */
export async function pasteInfotext({ tab }: House, kind: Picturer, infotext: string): Promise<void> {
  await tab.openTab(kind);
  await tab.page.locator(`#${kind}_extra_tabs > .tab-nav > button`).first().click();
  await tab.page.locator(`#${kind}_prompt textarea`).fill(infotext);
  await tab.page.locator(`#${kind}_tools #paste`).click();
  await expect.poll(() => tab.page.locator(`#${kind}_prompt textarea`).inputValue()).toBe(infotext.split("\n")[0]);
  const axis = /X Type: ([^,]+)/.exec(infotext)?.[1] ?? "Nothing";
  if (axis === "Nothing") return;
  await expect.poll(() => tab.page.locator(`#script_${kind}_xyz_plot_x_type input`).inputValue()).toBe(axis);
  await expect.poll(() => tab.page.locator(`#script_${kind}_xyz_plot_y_values textarea`).inputValue()).not.toBe("");
}
