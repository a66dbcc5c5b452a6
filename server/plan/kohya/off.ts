/** What options of sd-scripts are when nobody sets them, as far as that does something. */
const DEFAULTS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["loss_type", "l2"],
  ["huber_schedule", "snr"],
  ["huber_c", 0.1],
  ["huber_scale", 1],
  ["multires_noise_discount", 0.3],
  ["max_timestep", 1000],
  ["prior_loss_weight", 1],
  ["token_warmup_min", 1],
  ["lr_scheduler_num_cycles", 1],
  ["lr_scheduler_power", 1],
  ["gradient_accumulation_steps", 1],
  ["network_multiplier", 1],
  ["keep_tokens_separator", ""],
  ["caption_separator", ","],
]);

export const OFF = "It is off in the file.";
const DEFAULT = "It is what sd-scripts does without it.";

/** Why a value of an option asks for nothing, or null when it asks for something. */
export function offReason(name: string, value: unknown): string | null {
  const plain = typeof value === "string" ? value.trim() : value;
  if (plain === null || plain === "" || plain === false) return OFF;
  if (Array.isArray(plain) && plain.length === 0) return OFF;
  if (typeof plain === "object") return null;
  if (/^(false|none)$/i.test(String(plain))) return OFF;
  const standard = DEFAULTS.get(name);
  if (standard !== undefined && String(standard) === String(plain)) return DEFAULT;
  return Number(plain) === 0 ? OFF : null;
}
