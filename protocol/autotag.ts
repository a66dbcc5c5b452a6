import { z } from "zod";
import { AutotagOptions, TaggerFamily } from "./autotag-options.js";
import { Disagreement, DisagreementKind } from "./disagreements.js";
import { PackedScores, TaggerLabel } from "./tag-scores.js";

/** A tagger whose files are on this machine. `id` is of its content, so that a copy elsewhere is the same tagger. */
export const Tagger = z.object({
  id: z.string(),
  name: z.string(),
  family: TaggerFamily,
  bytes: z.int().nonnegative(),
  place: z.enum(["home", "webui", "cache", "other"]),
});
export type Tagger = z.infer<typeof Tagger>;

/** A tagger that the hub has; `repository` is `owner/name` or `owner/name/folder`. */
export const OfferedTagger = z.object({
  repository: z.string(),
  name: z.string(),
  family: TaggerFamily,
  /** About; for a person who decides. */
  megabytes: z.int(),
});
export type OfferedTagger = z.infer<typeof OfferedTagger>;

/**
 * The program that runs taggers, in the trainer's venv. `ready`: it is there; `missing`: it can be installed; `noTrainer`: the trainer's venv
 * has to be installed with it.
 */
export const TaggerRuntime = z.object({
  state: z.enum(["ready", "missing", "noTrainer"]),
  /** What computes: the build that is there, else the one that fits this machine. */
  build: z.enum(["cpu", "cuda12", "cuda13", "directml"]),
});
export type TaggerRuntime = z.infer<typeof TaggerRuntime>;

export const TaggerList = z.object({ runtime: TaggerRuntime, taggers: z.array(Tagger), offered: z.array(OfferedTagger), hub: z.string() });
export type TaggerList = z.infer<typeof TaggerList>;

/** The raw scores of a data set's pictures by one tagger, by the pictures' ids. */
export const TaggerScores = z.object({ labels: z.array(TaggerLabel), images: z.record(z.string(), PackedScores) });
export type TaggerScores = z.infer<typeof TaggerScores>;

/** One caption before and after. */
export const CaptionChange = z.object({ image: z.string(), before: z.string(), after: z.string() });
export type CaptionChange = z.infer<typeof CaptionChange>;

/** `unscored`: pictures without scores, which stay as they are. `editId` is null for a dry run or when nothing changes. */
export const AutotagReport = z.object({ editId: z.string().nullable(), changes: z.array(CaptionChange), unscored: z.int().nonnegative() });
export type AutotagReport = z.infer<typeof AutotagReport>;

/** What a run over the pictures came to; `scored` counts those that were new to the tagger. */
export const AutotagRun = z.object({
  scored: z.int().nonnegative(),
  known: z.int().nonnegative(),
  unreadable: z.array(z.object({ image: z.string(), reason: z.string() })),
  device: z.enum(["cpu", "cuda", "directml"]).nullable(),
});
export type AutotagRun = z.infer<typeof AutotagRun>;

export const DisagreementList = z.object({ items: z.array(Disagreement), total: z.int().nonnegative(), unscored: z.int().nonnegative() });
export type DisagreementList = z.infer<typeof DisagreementList>;

const Settled = z.object({ image: z.string(), tag: z.string(), kind: DisagreementKind });
const StartedTask = z.object({ task: z.string() });
const Id = z.int();

/** `tagger` is an id of the list; `images` are ids of the scan, all when absent. */
export const AutotagMessage = [
  z.object({ id: Id, type: z.literal("listTaggers") }),
  /** Installs the program that runs taggers, and the trainer's venv where there is none. */
  z.object({ id: Id, type: z.literal("installTagger") }),
  z.object({ id: Id, type: z.literal("downloadTagger"), repository: z.string() }),
  /** Scores the pictures that this tagger has not seen as they are now; nothing of the user's is changed. */
  z.object({ id: Id, type: z.literal("runAutotag"), dataset: z.string(), tagger: z.string(), images: z.array(z.string()).optional() }),
  z.object({ id: Id, type: z.literal("readScores"), dataset: z.string(), tagger: z.string() }),
  z.object({
    id: Id,
    type: z.literal("applyAutotag"),
    dataset: z.string(),
    tagger: z.string(),
    options: AutotagOptions,
    images: z.array(z.string()).optional(),
    dryRun: z.boolean().default(false),
  }),
  /** The strongest ones first; the list may be cut. */
  z.object({ id: Id, type: z.literal("readDisagreements"), dataset: z.string(), tagger: z.string() }),
  /** Does what the tagger says of these (one edit), and remembers that the others are right as they are. */
  z.object({
    id: Id,
    type: z.literal("settleDisagreements"),
    dataset: z.string(),
    tagger: z.string(),
    accept: z.array(Settled),
    keep: z.array(Settled),
  }),
] as const;

export const AutotagResult = {
  listTaggers: TaggerList,
  installTagger: StartedTask,
  downloadTagger: StartedTask,
  runAutotag: StartedTask,
  readScores: TaggerScores,
  applyAutotag: AutotagReport,
  readDisagreements: DisagreementList,
  settleDisagreements: z.object({ editId: z.string().nullable() }),
};
