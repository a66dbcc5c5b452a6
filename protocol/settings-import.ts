import { z } from "zod";

/** Line of the file, from 1; null where the option stands in no line of its own. */
const line = z.int().positive().nullable();
const option = z.string().describe("as the file spells it; `network_args.conv_dim` stands inside a list");

/** What became of every option of a settings file: each is in exactly one of the four lists. */
export const SettingsImport = z.object({
  format: z.enum(["trainLora", "sdScripts", "sdScriptsDataset", "kohyaGui", "powershell", "bash", "batch", "arguments"]),
  /** By our names, checked; only what the file says, or what sd-scripts would do where it is silent. */
  settings: z.record(z.string(), z.unknown()),
  /** `assumed`: the file leaves it to sd-scripts' default, which is not ours. */
  taken: z.array(z.object({ option, line, setting: z.string(), value: z.unknown(), assumed: z.boolean() })),
  /** Understood, and not needed here; `reason` is a sentence. */
  notNeeded: z.array(z.object({ option, line, reason: z.string() })),
  /** `isKohyas`: sd-scripts has this option, and nothing here does the same. */
  unknown: z.array(z.object({ option, line, value: z.string(), isKohyas: z.boolean() })),
  /** Understood, but the value can't be used; `message` says what was expected. */
  refused: z.array(z.object({ option, line, message: z.string() })),
});
export type SettingsImport = z.infer<typeof SettingsImport>;
