import { z } from "zod";

/** One edit of a data set, an undo and a roll-back included; none ever leaves the history. */
export const HistoryEntry = z.object({
  id: z.string(),
  /** What it did: a word and perhaps a file or a tag, such as `caption 10_x/a.png`. */
  label: z.string(),
  createdAt: z.int(),
  /** `takenBack`: it was cut off by a crash and every file is as before; `running`: it is being done. */
  state: z.enum(["done", "takenBack", "running"]),
  /** True when a later undo holds. */
  undone: z.boolean(),
  /** The edit that this one takes back; null for all but undos and redos. */
  undoes: z.string().nullable(),
  /** The edit after which everything is again as it was, "" for the beginning; null for all but roll-backs. */
  rollsBackTo: z.string().nullable(),
  /** How many files it changed. */
  captions: z.int().nonnegative(),
  pictures: z.int().nonnegative(),
  others: z.int().nonnegative(),
});
export type HistoryEntry = z.infer<typeof HistoryEntry>;

/** Edits, newest first. `more`: there are older ones. `undo` and `redo` are what the next undo and redo would be about; null for nothing. */
export const History = z.object({
  entries: z.array(HistoryEntry),
  more: z.boolean(),
  undo: z.string().nullable(),
  redo: z.string().nullable(),
});
export type History = z.infer<typeof History>;

/** A caption file at two moments; null where it was not there. */
export const CaptionDifference = z.object({ file: z.string(), before: z.string().nullable(), after: z.string().nullable() });
export type CaptionDifference = z.infer<typeof CaptionDifference>;

/** A picture that is not as it was; `from` is where a moved one lay. */
export const PictureDifference = z.object({
  change: z.enum(["added", "removed", "moved", "edited"]),
  file: z.string(),
  from: z.string().nullable(),
});
export type PictureDifference = z.infer<typeof PictureDifference>;

/** What differs between two moments of a data set: at most a thousand of each, `captionCount` and `pictureCount` of all. */
export const Comparison = z.object({
  captions: z.array(CaptionDifference),
  captionCount: z.int().nonnegative(),
  pictures: z.array(PictureDifference),
  pictureCount: z.int().nonnegative(),
  /** Other files: masks, sidecars, the data set's own facts. */
  others: z.array(z.string()),
});
export type Comparison = z.infer<typeof Comparison>;

/** A moment is the id of the edit after which it was; "" is the beginning, null is now. */
const moment = z.string().nullable();

export const HistoryMessage = [
  z.object({
    id: z.int(),
    type: z.literal("datasetHistory"),
    dataset: z.string(),
    /** Only edits older than this one. */
    before: z.string().optional(),
    limit: z.int().min(1).max(1000).default(100),
  }),
  z.object({ id: z.int(), type: z.literal("compareDataset"), dataset: z.string(), from: moment, to: moment }),
  /** Brings every file back to what it was right after this edit; itself an edit. "" is the beginning. */
  z.object({ id: z.int(), type: z.literal("rollBackDataset"), dataset: z.string(), editId: z.string() }),
  z.object({ id: z.int(), type: z.literal("redoDataset"), dataset: z.string() }),
] as const;

export const HistoryResult = {
  datasetHistory: History,
  compareDataset: Comparison,
  rollBackDataset: z.object({ editId: z.string().nullable() }),
  redoDataset: z.object({ redone: z.string().nullable() }),
};
