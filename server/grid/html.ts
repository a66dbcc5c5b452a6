/** Markup that is safe to insert as it is; only `html` and `raw` make it. */
export type Html = { markup: string };

type Part = string | number | Html | null | readonly Part[];

/** A template whose every value is escaped, save markup made by `html` itself; lists are joined, null is left out. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { markup: texts.map((text, index) => text + markupOf(parts[index] ?? null)).join("") };
}

/** Text that is markup already and comes from our own code. */
export function raw(markup: string): Html {
  return { markup };
}

function markupOf(part: Part): string {
  if (part === null) return "";
  if (typeof part === "string" || typeof part === "number") return escapeText(String(part));
  return "markup" in part ? part.markup : part.map(markupOf).join("");
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}
