import type { SettingsImport } from "../../../protocol/settings-import.js";

/** One option as a settings file has it. */
export type FileOption = {
  /** sd-scripts' spelling without dashes, with a dot inside a list of texts: `network_args.conv_dim`; or a name of ours. */
  readonly name: string;
  /** How the file spells it, where that differs. */
  readonly shownAs?: string | undefined;
  readonly value: unknown;
  /** From 1; null where the format has no lines to speak of. */
  readonly line: number | null;
  /** What overrides what, as in sd-scripts: 0 an argument, 1 `[general]`, 2 a data set, 3 a subset. */
  readonly depth: 0 | 1 | 2 | 3;
};

/** What a reader of one format found. */
export type FoundOptions = {
  readonly format: SettingsImport["format"];
  readonly options: readonly FileOption[];
  /** Parts of the file that say something which could not be followed. */
  readonly unread: readonly { readonly line: number; readonly text: string }[];
};

/** Options of sd-scripts that hold a list of `name=value` texts. */
export const LIST_OPTIONS: ReadonlySet<string> = new Set(["network_args", "optimizer_args", "lr_scheduler_args"]);
