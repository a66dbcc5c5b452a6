import { webuiPage } from "../data/webui.js";
import { copyText } from "./copy-text.js";

/** opened: txt2img has it. copied: there is no WebUI page around this one. notFilled: there is, but its controls did not take it. */
export type Filled = "opened" | "copied" | "notFilled";

/** Fills txt2img with an infotext; where that can't be done the text is on the clipboard. */
export async function fillTxt2img(text: string, near: HTMLElement): Promise<Filled> {
  const page = webuiPage();
  try {
    if (page) {
      await page.pasteIntoTxt2img(text);
      return "opened";
    }
  } catch {
    // another extension has rebuilt the tab; the person pastes it by hand
  }
  await copyText(text, near);
  return page ? "notFilled" : "copied";
}
