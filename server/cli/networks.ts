import { NetworkType } from "../../protocol/network-settings.js";
import { NETWORK_SUPPORT } from "../../protocol/network-support.js";
import { defineCommand } from "./command.js";

export const networksCommand = defineCommand({
  words: "networks",
  summary: "tell which WebUI loads which kind of network",
  help: `networks

The kinds are those of the setting networkType.

Example: train-lora networks --json`,
  options: {},
  positionals: [],
  async run({ out }) {
    const rows = [
      ["WebUI", ...NetworkType.options],
      ...NETWORK_SUPPORT.map(({ name, loads }) => [name, ...NetworkType.options.map((type) => words(loads[type]))]),
    ];
    const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
    const lines = rows.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
    out.result(NETWORK_SUPPORT, lines.join("\n"));
  },
});

function words(first: string | true | null): string {
  if (first === true) return "yes";
  return first === null ? "not known" : `from ${first}`;
}
