import { z } from "zod";

/** How the weights are moved: fields of Settings, in kohya's sense (its option in brackets). */
export const learningFields = {
  /** (`optimizer_type`) AdamW8bit needs CUDA and bitsandbytes; Prodigy and DAdaptAdam find the learning rate and want 1. */
  optimizer: z.enum(["AdamW", "AdamW8bit", "Lion", "Adafactor", "Prodigy", "AdamWScheduleFree", "DAdaptAdam"]).default("AdamW"),
  /** (`optimizer_args`) options of the optimizer's class as `name=value`, such as `betas=0.9,0.99`. */
  optimizerArgs: z
    .array(z.string().regex(/^\s*\w+\s*=\s*\S.*$/, "an option such as betas=0.9,0.99"))
    .max(32)
    .default([]),
  /** (`lr_scheduler`) AdamWScheduleFree has none: the plan makes it constant. */
  lrScheduler: z.enum(["constant", "linear", "cosine", "cosine_with_restarts", "polynomial", "constant_with_warmup"]).default("cosine"),
  /** (`lr_warmup_steps`) steps of linear warm-up before any schedule; a number below 1 is a share of the run. */
  lrWarmupSteps: z
    .number()
    .nonnegative()
    .refine((steps) => steps < 1 || Number.isInteger(steps), "whole steps, or a share below 1")
    .default(0),
  /** (`lr_scheduler_num_cycles`) of cosine_with_restarts. */
  lrSchedulerNumCycles: z.int().min(1).max(1000).default(1),
  /** (`lr_scheduler_power`) of polynomial. */
  lrSchedulerPower: z.number().positive().default(1),
  /** (`lr_scheduler_min_lr_ratio`) where a falling schedule ends, as a share of the learning rate. */
  lrSchedulerMinLrRatio: z.number().min(0).max(1).default(0),
  /** Of the optimizer (`optimizer_args weight_decay=…`). */
  weightDecay: z.number().nonnegative().default(0.01),
  /** (`max_grad_norm`) 0 turns clipping off. */
  maxGradNorm: z.number().nonnegative().default(1),
  /** (`gradient_accumulation_steps`) batches in one step; a step is still one update. */
  gradientAccumulationSteps: z.int().min(1).max(1024).default(1),
  /** What is measured, saved and drawn is a running average of the LoRA with this decay; 0: the LoRA itself. */
  emaDecay: z.number().min(0).lt(1).default(0),
  /** Share of the run after which the text encoder's LoRA stays as it is; 1: never. */
  stopTextEncoderAt: z.number().min(0).max(1).default(1),
};
