import type { Settings } from "../../protocol/settings.js";
import { countTokens } from "./tokens.js";

export type CaptionRules = Pick<Settings, "captionPrefix" | "captionSuffix" | "enableWildcard" | "weightedCaptions">;

/** Tokens of the longest caption that training can make of this one: with prefix and suffix, by the longest line and wildcard parts. */
export function captionTokens(caption: string, rules: CaptionRules): number {
  const decorated = [rules.captionPrefix, caption, rules.captionSuffix].filter((part) => part !== "").join(" ");
  const lines = rules.enableWildcard ? decorated.split("\n").map(longestParts) : [decorated];
  return Math.max(...lines.map((line) => countTokens(rules.weightedCaptions ? withoutWeights(line) : line)));
}

function longestParts(line: string): string {
  return line.replace(/\{([^}]+)\}/g, (_, parts: string) =>
    parts.split("|").reduce((longest, part) => (countTokens(part) > countTokens(longest) ? part : longest), ""),
  );
}

function withoutWeights(line: string): string {
  return line.replace(/:\s*[+-]?[.\d]+\s*\)|(?<!\\)[()[\]]/g, " ");
}
