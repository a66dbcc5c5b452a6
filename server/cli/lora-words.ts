import { basename } from "node:path";
import type { LoraToolResult } from "../../protocol/lora-tools.js";
import type { ResizeProof } from "../lora-tools/resize-proof.js";

const MOST_LINES = 40;

/** What a tool has found or written, in lines for a terminal. */
export function resultWords(result: LoraToolResult): string {
  switch (result.tool) {
    case "inspect":
      return inspectWords(result);
    case "resize": {
      const dims = result.modules.map(({ dim }) => dim);
      return `${writtenWords(result)}\n${result.modules.length} layers of dim ${range(dims)} keep ${percent(result.meanEnergyKept)} of their change on average.`;
    }
    case "merge": {
      const dims = result.modules.map(({ dim }) => dim);
      const kept = result.meanEnergyKept === 1 ? "exact" : `${percent(result.meanEnergyKept)} of the sum is kept on average`;
      return `${writtenWords(result)}\n${result.modules.length} layers of dim ${range(dims)}: ${kept}.`;
    }
    case "compare":
      return compareWords(result);
    case "verify":
      return verifyWords(result);
    case "convert":
      return writtenWords(result);
    default: {
      const unknownTool: never = result;
      return unknownTool;
    }
  }
}

/** The stable losses before and after, beside the base model's. */
export function proofWords({ base, before, after }: ResizeProof): string {
  const row = (name: string, { trainLoss, heldOutLoss, drift }: ResizeProof["base"]) =>
    `${name.padEnd(8)}train ${trainLoss.toFixed(5)}  held out ${heldOutLoss === null ? "-" : heldOutLoss.toFixed(5)}  drift ${drift.toFixed(5)}`;
  const gain = base.trainLoss - before.trainLoss;
  const kept =
    gain > 0 ? `\n${percent((base.trainLoss - after.trainLoss) / gain)} of what the LoRA gained over the base model is kept.` : "";
  return `${row("base", base)}\n${row("before", before)}\n${row("after", after)}${kept}`;
}

type Of<Tool extends LoraToolResult["tool"]> = Extract<LoraToolResult, { tool: Tool }>;

function inspectWords({ modules, norms, dim90, dim99, kinds }: Of<"inspect">): string {
  const lines = [...modules]
    .sort((a, b) => b.norm - a.norm)
    .slice(0, MOST_LINES)
    .map(
      ({ name, dim, norm, effectiveRank, stableRank, dim90: ninety, dim99: most }) =>
        `${norm.toFixed(3).padStart(9)} ${String(dim).padStart(4)} ${effectiveRank.toFixed(1).padStart(6)} ${stableRank.toFixed(1).padStart(6)} ${String(ninety).padStart(4)} ${String(most).padStart(4)}  ${name}`,
    );
  const groups = Object.entries(norms).map(([group, norm]) => `${group} ${norm.toFixed(3)}`);
  return [
    `${kinds.join(", ")}: ${modules.length} layers; norms ${groups.join(", ")}.`,
    `A dim of ${dim90} would hold 90 % of every layer's energy, ${dim99} would hold 99 %.`,
    "     norm  dim eff.rk stable  90%  99%  layer",
    ...lines,
    ...(modules.length > MOST_LINES ? [`… and ${modules.length - MOST_LINES} layers with smaller norms (all with --json)`] : []),
  ].join("\n");
}

function compareWords({ keys, onlyFirst, onlySecond, otherShape, shared, norms, cosine }: Of<"compare">): string {
  const short = (text: string | null) => (text === null ? "-" : text.length > 60 ? `${text.slice(0, 57)}…` : text);
  const width = Math.max(0, ...keys.map(({ key }) => key.length));
  return [
    ...keys.map(({ key, first, second }) => `${key.padEnd(width)}  ${short(first)}  →  ${short(second)}`),
    `${shared} layers in both, ${onlyFirst.length} in the first alone, ${onlySecond.length} in the second alone, ${otherShape.length} of another shape.`,
    `Norms ${norms.map((norm) => norm.toFixed(3)).join(" and ")}; direction in common (cosine): ${cosine === null ? "none" : cosine.toFixed(4)}.`,
  ].join("\n");
}

function verifyWords({ kind, modules, programs }: Of<"verify">): string {
  const lines = Object.entries(programs).flatMap(([program, { matched, unmatched, notes }]) => [
    `${program.padEnd(9)} ${matched} of ${modules} layers${unmatched.length > 0 ? "; not:" : ""}`,
    ...unmatched.slice(0, MOST_LINES).map((name) => `          ${name}`),
    ...(unmatched.length > MOST_LINES ? [`          … and ${unmatched.length - MOST_LINES} more`] : []),
    ...notes.map((note) => `          ${note}`),
  ]);
  return [`For a base model of the kind ${kind}:`, ...lines].join("\n");
}

function writtenWords({ file, bytes, note }: { file: string; bytes: number; note: string }): string {
  return `${basename(file)} (${(bytes / 1e6).toFixed(1)} MB): ${note}.`;
}

function range(dims: readonly number[]): string {
  const [least, most] = [Math.min(...dims), Math.max(...dims)];
  return least === most ? String(least) : `${least}–${most}`;
}

function percent(share: number | null): string {
  return share === null ? "nothing" : `${(share * 100).toFixed(1)} %`;
}
