const BASE_MODEL = "The base model is chosen in the plan.";
const DETECTED = "What kind of base model it is, is read from its file.";
const DATASET = "The pictures are those of the data set that is planned.";
const REPEATS = "Repeats follow from the steps that are aimed at and from the numbers of the data set's folders.";
const CAPTIONS = "Captions are found whatever their file's ending is.";
const BUCKETS = "Every picture goes into the bucket of its shape.";
const LATENTS = "Latents are always cached.";
const SPEED = "How the machine is used is found out by the trainer itself and does not change the LoRA.";
const FOLDERS = "Runs, logs and LoRA files have folders of their own.";
const SAVES = "Every epoch is saved as .safetensors, and the run's state with it.";
const SAMPLES = "The grid draws every epoch at every weight; its prompts are in the plan's settings.";
const UPLOAD = "Nothing is uploaded.";
const METADATA = "The LoRA file always says how it was made.";
const LAUNCHER = "It is meant for the program that starts the training.";
const HELD_OUT = "Held-out pictures measure every epoch; how many is a setting of its own.";
const OTHER_FILE = "It names another file; import that one as well.";
const NETWORK = "What it says is taken with the other options of the network.";

const BY_REASON: readonly (readonly [string, string])[] = [
  [BASE_MODEL, "pretrained_model_name_or_path base_model model_list"],
  [DETECTED, "v2 v_parameterization sdxl model_type model_train_type train_mode"],
  [DATASET, "train_data_dir image_dir in_json metadata_file dataset_class class_tokens is_reg reg_data_dir cache_info custom_attributes"],
  [REPEATS, "num_repeats dataset_repeats"],
  [CAPTIONS, "caption_extension caption_extention caption_separator"],
  [BUCKETS, "enable_bucket"],
  [LATENTS, "cache_latents cache_latents_to_disk skip_cache_check vae_batch_size no_half_vae"],
  [
    SPEED,
    `xformers sdpa mem_eff_attn cpu_offload_checkpointing lowram highvram max_data_loader_n_workers
     persistent_data_loader_workers torch_compile dynamo_backend fused_backward_pass full_fp16 full_bf16
     ddp_timeout ddp_gradient_as_bucket_view ddp_static_graph deepspeed zero_stage offload_optimizer_device offload_optimizer_nvme_path
     offload_param_device offload_param_nvme_path zero3_init_flag zero3_save_16bit_model fp16_master_weights_and_gradients
     disable_mmap_load_safetensors cache_text_encoder_outputs cache_text_encoder_outputs_to_disk tokenizer_cache_dir`,
  ],
  [
    FOLDERS,
    `output_dir logging_dir log_with log_prefix log_tracker_name log_tracker_config log_config console_log_level console_log_file
     console_log_simple wandb_run_name wandb_api_key debug_dataset`,
  ],
  [
    SAVES,
    `save_model_as save_every_n_epochs save_every_n_steps save_n_epoch_ratio save_last_n_epochs save_last_n_epochs_state
     save_last_n_steps save_last_n_steps_state save_state save_state_on_train_end resume initial_epoch initial_step
     skip_until_initial_step`,
  ],
  [SAMPLES, "sample_prompts sample_every_n_epochs sample_every_n_steps sample_at_first sample_sampler"],
  [
    UPLOAD,
    `huggingface_repo_id huggingface_repo_type huggingface_path_in_repo huggingface_token huggingface_repo_visibility
     save_state_to_huggingface resume_from_huggingface async_upload`,
  ],
  [
    METADATA,
    `no_metadata training_comment metadata_title metadata_author metadata_description metadata_license metadata_tags
     metadata_usage_hint metadata_thumbnail metadata_merged_from metadata_trigger_phrase metadata_preprocessor
     metadata_is_negative_embedding`,
  ],
  [
    LAUNCHER,
    `num_cpu_threads_per_process num_machines multi_gpu gpu_ids main_process_port machine_rank dynamo_mode
     dynamo_use_dynamic dynamo_use_fullgraph extra_accelerate_launch_args quiet config_file_accelerate use_cpu cpu`,
  ],
  [HELD_OUT, "validation_split validation_seed validate_every_n_steps validate_every_n_epochs max_validation_steps"],
  [OTHER_FILE, "config_file dataset_config output_config"],
  [
    NETWORK,
    "network_module network_args.algo network_args.preset network_args.dora_wd network_args.wd_on_output dim_from_weights LoRA_type",
  ],
];

/** Options that are understood and ask for nothing here, with the sentence that says why. */
export const NOT_NEEDED: ReadonlyMap<string, string> = new Map(
  BY_REASON.flatMap(([reason, names]) => names.split(/\s+/).map((name): [string, string] => [name, reason])),
);
