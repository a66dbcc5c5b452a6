import { readPreference, writePreference } from "./preferences.js";

export type Scheme = "light" | "dark";
export type SchemeChoice = "auto" | Scheme;

const KEY = "train-lora:scheme";

export function schemeChoice(): SchemeChoice {
  const kept = readPreference(KEY);
  return kept === "light" || kept === "dark" ? kept : "auto";
}

export function chooseScheme(choice: SchemeChoice): void {
  writePreference(KEY, choice);
}

/** True when the page around the element brings a theme of its own, as the WebUI does. */
export function hasHostTheme(): boolean {
  return getComputedStyle(document.documentElement).getPropertyValue("--body-text-color").trim() !== "";
}

/** Inside the WebUI its `dark` class decides; alone, the person's choice and then the system's. */
export function schemeOf(element: Element): Scheme {
  if (hasHostTheme()) return element.closest(".dark") ? "dark" : "light";
  const choice = schemeChoice();
  if (choice !== "auto") return choice;
  return element.closest(".dark") || matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Calls `onChange` whenever the answer of `schemeOf` may have changed; the result ends it. */
export function watchScheme(onChange: () => void): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const classes = new MutationObserver(onChange);
  for (const node of [document.documentElement, document.body]) classes.observe(node, { attributes: true, attributeFilter: ["class"] });
  system.addEventListener("change", onChange);
  return () => {
    classes.disconnect();
    system.removeEventListener("change", onChange);
  };
}
