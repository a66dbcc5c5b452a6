import type { FileOption } from "./option.js";

/** Names in the JSON files of the first LoRA Easy Training Scripts, with sd-scripts'. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["base_model", "pretrained_model_name_or_path"],
  ["img_folder", "train_data_dir"],
  ["output_folder", "output_dir"],
  ["reg_img_folder", "reg_data_dir"],
  ["change_output_name", "output_name"],
  ["net_dim", "network_dim"],
  ["alpha", "network_alpha"],
  ["scheduler", "lr_scheduler"],
  ["cosine_restarts", "lr_scheduler_num_cycles"],
  ["scheduler_power", "lr_scheduler_power"],
  ["warmup_lr_ratio", "lr_warmup_steps"],
  ["unet_only", "network_train_unet_only"],
  ["text_only", "network_train_text_encoder_only"],
  ["train_resolution", "resolution"],
  ["batch_size", "train_batch_size"],
  ["test_seed", "seed"],
  ["num_epochs", "max_train_epochs"],
  ["max_steps", "max_train_steps"],
  ["buckets", "enable_bucket"],
  ["min_bucket_resolution", "min_bucket_reso"],
  ["max_bucket_resolution", "max_bucket_reso"],
  ["shuffle_captions", "shuffle_caption"],
  ["gradient_acc_steps", "gradient_accumulation_steps"],
  ["lora_model_for_resume", "network_weights"],
  ["log_dir", "logging_dir"],
  ["no_meta", "no_metadata"],
  ["use_lion", "use_lion_optimizer"],
  ["save_as", "save_model_as"],
  ["max_clip_token_length", "max_token_length"],
  ["num_workers", "max_data_loader_n_workers"],
  ["persistent_workers", "persistent_data_loader_workers"],
]);

export function isEasyScripts(table: Readonly<Record<string, unknown>>): boolean {
  return "net_dim" in table || "train_resolution" in table;
}

export function easyScriptsOptions(options: readonly FileOption[]): FileOption[] {
  return options.map((option) => ({ ...option, name: NAMES.get(option.name) ?? option.name, shownAs: option.shownAs ?? option.name }));
}
