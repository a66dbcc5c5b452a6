import { z } from "zod";

const dim = z.int().min(1).max(4096);
const precision = z.enum(["float", "fp16", "bf16"]).optional();

/**
 * What can be done with LoRA files after a run. Files are names below the LoRA folder (in the trainer and on the command line: paths);
 * `out` is a new name in the folder of the first file, and no file is ever written over.
 */
export const LoraTool = z.discriminatedUnion("tool", [
  z.object({ tool: z.literal("inspect"), file: z.string() }),
  z.object({
    tool: z.literal("resize"),
    file: z.string(),
    out: z.string(),
    /** The dim, or for another method than fixed the largest. */
    dim,
    /** Of convolutions; absent: dim. */
    convDim: dim.optional(),
    /** As kohya's resize_lora.py: a fixed dim, or the dims that keep this much of the singular values. */
    method: z.enum(["fixed", "sv_ratio", "sv_fro", "sv_cumulative"]).default("fixed"),
    target: z.number().nonnegative().default(0),
    precision,
  }),
  z.object({
    tool: z.literal("merge"),
    files: z.array(z.string()).min(1).max(32),
    weights: z.array(z.number().min(-10).max(10)),
    out: z.string(),
    /** Absent: the exact sum, with the dims of all behind one another. */
    dim: dim.optional(),
    convDim: dim.optional(),
    precision,
    /** What is said of it in the file; absent: the files and weights. */
    note: z.string().optional(),
  }),
  /** The mean of several epochs of the run that wrote `file`, at the dim of its files. */
  z.object({ tool: z.literal("blend"), file: z.string(), epochs: z.string(), out: z.string(), dim: dim.optional(), precision }),
  z.object({ tool: z.literal("compare"), first: z.string(), second: z.string() }),
  z.object({
    tool: z.literal("verify"),
    file: z.string(),
    /** The base model: a name of the snapshot's list (on the command line: a path); absent: the ordinary one that the file is for. */
    base: z.string().optional(),
    kind: z.enum(["sd1", "sd2", "sdxl"]).optional(),
  }),
  /** kohya's keys, or those of PEFT as diffusers loads them. */
  z.object({ tool: z.literal("convert"), file: z.string(), out: z.string(), style: z.enum(["kohya", "peft"]), precision }),
]);
export type LoraTool = z.infer<typeof LoraTool>;

const Written = z.object({ file: z.string(), bytes: z.int(), sshsModelHash: z.string(), note: z.string() });
const share = z.number().nullable();
const Program = z.object({ matched: z.int(), unmatched: z.array(z.string()), notes: z.array(z.string()) });

/** What a tool has found or written. */
export const LoraToolResult = z.discriminatedUnion("tool", [
  z.object({
    tool: z.literal("inspect"),
    file: z.string(),
    precision: z.string(),
    kinds: z.array(z.string()),
    modules: z.array(
      z.object({
        name: z.string(),
        kind: z.string(),
        dim: z.int(),
        alpha: z.number(),
        /** Frobenius norm of the change at weight 1. */
        norm: z.number(),
        /** exp of the entropy of the singular values, and ‖·‖²_F / ‖·‖²₂. */
        effectiveRank: z.number(),
        stableRank: z.number(),
        /** Dims that hold 90 and 99 % of the energy. */
        dim90: z.int(),
        dim99: z.int(),
      }),
    ),
    /** By block group: down, mid, up, te. */
    norms: z.record(z.string(), z.number()),
    dim90: z.int(),
    dim99: z.int(),
  }),
  z.object({
    tool: z.literal("resize"),
    ...Written.shape,
    modules: z.array(z.object({ name: z.string(), fromDim: z.int(), dim: z.int(), energyKept: share, sumKept: share })),
    /** Mean share of the changes' norms that was kept. */
    meanEnergyKept: share,
  }),
  z.object({
    tool: z.literal("merge"),
    ...Written.shape,
    modules: z.array(z.object({ name: z.string(), dim: z.int(), energyKept: z.number() })),
    meanEnergyKept: z.number(),
  }),
  z.object({
    tool: z.literal("compare"),
    files: z.array(z.string()),
    keys: z.array(z.object({ key: z.string(), first: z.string().nullable(), second: z.string().nullable() })),
    onlyFirst: z.array(z.string()),
    onlySecond: z.array(z.string()),
    otherShape: z.array(z.string()),
    shared: z.int(),
    norms: z.array(z.number()),
    /** 1: both change the same way, 0: in ways that have nothing to do with each other. */
    cosine: z.number().nullable(),
  }),
  z.object({
    tool: z.literal("verify"),
    file: z.string(),
    kind: z.enum(["sd1", "sd2", "sdxl"]),
    base: z.string().nullable(),
    modules: z.int(),
    programs: z.object({ a1111: Program, forge: Program, diffusers: Program }),
    /** Every program finds a layer for everything. */
    complete: z.boolean(),
  }),
  z.object({ tool: z.literal("convert"), ...Written.shape }),
]);
export type LoraToolResult = z.infer<typeof LoraToolResult>;
