import { z } from "zod";
import { Settings } from "../../protocol/settings.js";

/** What the person has chosen so far: only what was touched, so that defaults of a later version reach it. */
export type PlanDraft = { baseModel: string; settings: SettingsDraft };
export type SettingsDraft = z.input<typeof DraftSettings>;
export type SettingKey = keyof Settings;

const DraftSettings = Settings.partial();
const Stored = z.object({ baseModel: z.string(), settings: z.record(z.string(), z.unknown()) });

/** The kept draft of a data set; what can't be read any more is left out, never an error. */
export function parseDraft(text: string | null): PlanDraft {
  const stored = Stored.safeParse(parseJson(text));
  if (!stored.success) return { baseModel: "", settings: {} };
  const known = Object.entries(stored.data.settings).filter(([key]) => key in Settings.shape);
  const settings = DraftSettings.safeParse(Object.fromEntries(known));
  return { baseModel: stored.data.baseModel, settings: settings.success ? pick(settings.data, new Set(known.map(([key]) => key))) : {} };
}

export function draftKey(dataset: string): string {
  return `train-lora:plan:${dataset}`;
}

/** The draft with one setting changed; `undefined` goes back to the default. */
export function withSetting(draft: PlanDraft, key: SettingKey, value: unknown): PlanDraft {
  const { [key]: _old, ...rest } = draft.settings;
  if (value === undefined) return { ...draft, settings: rest };
  const parsed = DraftSettings.safeParse({ [key]: value });
  return parsed.success ? { ...draft, settings: { ...rest, [key]: parsed.data[key] } } : draft;
}

/** Why a value is refused, or null when it is fine. */
export function settingError(key: SettingKey, value: unknown): string | null {
  const parsed = Settings.shape[key].safeParse(value);
  return parsed.success ? null : (parsed.error.issues[0]?.message ?? "");
}

/** Learning rate that moves the weights alike when alpha equals dim: the LoRA's scale is alpha/dim and Adam's steps have a fixed size. */
export function equivalentLearningRate(learningRate: number, alpha: number, dim: number): number {
  return learningRate * Math.sqrt(alpha / dim);
}

// zod fills in defaults even for absent keys of a partial object; only what was stored counts as chosen.
function pick(settings: z.infer<typeof DraftSettings>, keys: ReadonlySet<string>): SettingsDraft {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => keys.has(key)));
}

function parseJson(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null; // not ours any more
  }
}
