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
export function hasHostTheme(element: Element): boolean {
  return getComputedStyle(element).getPropertyValue("--body-text-color").trim() !== "";
}

/** Inside the WebUI its theme decides, also a custom one that has no `dark` class; alone, the person's choice and then the system's. */
export function schemeOf(element: Element): Scheme {
  if (hasHostTheme(element)) return schemeOfText(getComputedStyle(element).color) ?? (element.closest(".dark") ? "dark" : "light");
  const choice = schemeChoice();
  if (choice !== "auto") return choice;
  return element.closest(".dark") || matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** The scheme that a text colour is made for; null for a colour that browsers do not compute to rgb(). */
export function schemeOfText(colour: string): Scheme | null {
  const [red, green, blue] = /^rgba?\((\d+)[, ]+(\d+)[, ]+(\d+)/.exec(colour)?.slice(1).map(Number) ?? [];
  if (red === undefined || green === undefined || blue === undefined) return null;
  return 0.299 * red + 0.587 * green + 0.114 * blue > 127 ? "dark" : "light";
}

/** Calls `onChange` whenever the answer of `schemeOf` may have changed; the result ends it. */
export function watchScheme(onChange: () => void): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const classes = new MutationObserver(onChange);
  for (const node of [document.documentElement, document.body])
    classes.observe(node, { attributes: true, attributeFilter: ["class", "style", "data-theme"] });
  system.addEventListener("change", onChange);
  return () => {
    classes.disconnect();
    system.removeEventListener("change", onChange);
  };
}
