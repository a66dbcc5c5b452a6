/** An infotext as the fields of the WebUI's API, for its own `infotext` field fails in Forge. Other fields go before it. */
export function apiFields({ infotext, ...given }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (typeof infotext !== "string") return given;
  const [text = "", line = ""] = infotext.split(/\n(?=Steps: )/);
  const [prompt = "", negative = ""] = text.split(/\n?Negative prompt: /);
  const told = new Map([...line.matchAll(/([^:,]+): ("(?:\\.|[^"])*"|[^,]*)(?:, |$)/g)].map(([, label, value]) => [label?.trim(), value]));
  const [width, height] = (told.get("Size") ?? "").split("x").map(Number);
  const hires = Number(told.get("Hires upscale") ?? 0);
  return {
    prompt,
    negative_prompt: negative,
    steps: Number(told.get("Steps")),
    sampler_name: told.get("Sampler"),
    ...(told.has("Schedule type") ? { scheduler: told.get("Schedule type") } : {}),
    cfg_scale: Number(told.get("CFG scale")),
    seed: Number(told.get("Seed")),
    width,
    height,
    ...(told.has("Denoising strength") ? { denoising_strength: Number(told.get("Denoising strength")) } : {}),
    ...(hires > 0 && {
      enable_hr: true,
      hr_scale: hires,
      hr_second_pass_steps: Number(told.get("Hires steps") ?? 0),
      hr_upscaler: told.get("Hires upscaler"),
      // Forge's own, without which its API has no hires fix.
      ...(told.has("Hires CFG Scale") ? { hr_cfg: Number(told.get("Hires CFG Scale")) } : {}),
      ...(told.has("Hires Module 1") ? { hr_additional_modules: [told.get("Hires Module 1")] } : {}),
    }),
    override_settings: { CLIP_stop_at_last_layers: Number(told.get("Clip skip") ?? 1) },
    ...given,
  };
}
