import type { SettingKey } from "./plan-draft.js";

export type SettingGroup = "run" | "pictures" | "network" | "captions" | "loss" | "numbers" | "memory" | "measure";

/** Settings that are one field each; the subject, the subsets, what is held out and the grid have forms of their own. */
export type FieldKey = Exclude<SettingKey, "subject" | "grid" | "subsetSettings" | "subsetShares" | "heldOutPictures">;

/** How one setting is asked for. `kohya` is its option's name in sd-scripts, shown in the help; "" where there is none. */
export type SettingField = { key: FieldKey; group: SettingGroup; kohya: string } & SettingInput;

export type SettingInput =
  | { kind: "number"; min: number; max?: number; step: number | "any" }
  | { kind: "choice"; options: readonly (string | number)[] }
  | { kind: "switch" }
  | { kind: "text" }
  /** A list of texts that hold no spaces. */
  | { kind: "words" }
  | { kind: "size" };
