import { argumentOptions } from "./argument-options.js";
import type { FileOption } from "./option.js";
import { splitWords } from "./split-words.js";

type Table = Readonly<Record<string, unknown>>;

const NAMES: ReadonlyMap<string, string> = new Map([
  ["max_resolution", "resolution"],
  ["epoch", "max_train_epochs"],
  ["optimizer", "optimizer_type"],
  ["lora_network_weights", "network_weights"],
]);

/** What the GUI's `LoRA_type` asks sd-scripts for. */
const KINDS: ReadonlyMap<string, { module: string; algo?: string }> = new Map([
  ["Standard", { module: "networks.lora" }],
  ["Kohya LoCon", { module: "networks.lora", algo: "locon" }],
  ["LoCon", { module: "lycoris.kohya", algo: "locon" }],
  ["LyCORIS/LoCon", { module: "lycoris.kohya", algo: "locon" }],
  ["LyCORIS/LoHa", { module: "lycoris.kohya", algo: "loha" }],
  ["LyCORIS/LoKr", { module: "lycoris.kohya", algo: "lokr" }],
  ["Kohya LoHa", { module: "networks.loha", algo: "loha" }],
  ["Kohya LoKr", { module: "networks.lokr", algo: "lokr" }],
]);

const BLOCKS =
  "down_lr_weight mid_lr_weight up_lr_weight block_lr_zero_threshold block_dims block_alphas conv_block_dims conv_block_alphas";
/** Fields of the GUI that become texts of network_args when they are filled in; those of LyCORIS count only for it. */
const NETWORK_FIELDS = new Set(`${BLOCKS} rank_dropout module_dropout loraplus_lr_ratio loraplus_unet_lr_ratio`.split(" "));
const CONVOLUTIONS = new Set(["conv_dim", "conv_alpha"]);
const LYCORIS_FIELDS = new Set(
  `LyCORIS_preset use_tucker use_cp use_scalar decompose_both factor dora_wd bypass_mode train_norm train_on_input unit constrain rescaled
   rank_dropout_scale loraplus_text_encoder_lr_ratio conv_alphas conv_dims`.split(/\s+/),
);

/** True for a file that kohya_ss has saved: its names for resolution, kind and epochs are its own. */
export function isGuiPreset(table: Table): boolean {
  return "LoRA_type" in table || "max_resolution" in table || "additional_parameters" in table;
}

/** The options that kohya_ss would hand to sd-scripts for a preset, by sd-scripts' names. */
export function guiOptions(options: readonly FileOption[]): FileOption[] {
  const fieldOf = (name: string) => options.find((option) => option.name === name)?.value;
  return options.flatMap((option): FileOption[] => {
    const { name, value } = option;
    const named = (own: string, changed: unknown = value): FileOption => ({ ...option, name: own, shownAs: name, value: changed });
    if (isEmpty(value) && !RATES.has(name)) return [{ ...option, value: null }];
    switch (name) {
      case "LoRA_type":
        return networkOf(option);
      case "lr_warmup":
        return [named("lr_warmup_steps", Number(value) / 100)];
      case "optimizer_args":
      case "lr_scheduler_args":
        return [{ ...option, value: splitWords(String(value)) }];
      case "additional_parameters":
        return argumentOptions(splitWords(String(value)).map((text) => ({ text, line: option.line })));
      case "noise_offset":
        return [fieldOf("noise_offset_type") === "Multires" ? { ...option, value: null } : option];
      case "multires_noise_iterations":
      case "multires_noise_discount":
        return [fieldOf("noise_offset_type") === "Original" ? { ...option, value: null } : option];
    }
    if (NETWORK_FIELDS.has(name)) return [named(`network_args.${name}`)];
    if (CONVOLUTIONS.has(name)) return [fieldOf("LoRA_type") === "Standard" ? { ...option, value: null } : named(`network_args.${name}`)];
    if (LYCORIS_FIELDS.has(name) || GUI_ALONE.test(name))
      return [
        String(fieldOf("LoRA_type")).startsWith("LyCORIS") && LYCORIS_FIELDS.has(name)
          ? named(`network_args.${name}`)
          : { ...option, value: null },
      ];
    return [named(NAMES.get(name) ?? name)];
  });
}

/** A rate of 0 is a choice: that part is not trained. */
const RATES = new Set(["unet_lr", "text_encoder_lr", "keep_tokens", "max_grad_norm"]);

/** Fields of the window itself, and of kinds of models that share it. */
const GUI_ALONE =
  /^(sd3_|sd3$|flux|anima|lumina|hunyuan|chroma|t5xxl|clip_[lg]$|ae$|apply_t5|blocks_to_swap|double_blocks|single_blocks|blockwise|discrete_flow|guidance_scale|img_|txt_|in_dims|single_|logit_|mode_scale|model_prediction_type|timestep_sampling|weighting_scheme|split_|train_blocks|train_double|train_single|train_t5|save_clip|save_t5|save_as_bool|no_token_padding|mem_eff_save|fused_optimizer|noise_offset_type|learning_rate_te|enable_all_linear|cpu_offload|ggpo|train_lora_ggpo)/;

function networkOf(option: FileOption): FileOption[] {
  const kind = KINDS.get(String(option.value)) ?? { module: String(option.value) };
  const module: FileOption = { ...option, name: "network_module", shownAs: "LoRA_type", value: kind.module };
  if (kind.algo === undefined) return [module];
  return [module, { ...option, name: "network_args.algo", shownAs: "LoRA_type", value: kind.algo }];
}

function isEmpty(value: unknown): boolean {
  return value === "" || value === null || value === 0 || value === "0" || value === false || Number(value || 0) === 0;
}
