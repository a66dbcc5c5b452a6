import { z } from "zod";
import { TagCategory } from "./tag-category.js";

/** What a scan can find wrong. Codes are stable: `dataset fix --only CODE,…`, the UI's chips and tests name them. */
export const ProblemCode = z.enum([
  "not_an_image",
  "truncated",
  "too_large",
  "too_small",
  "unsupported_format",
  "transparent",
  "beyond_3_to_1",
  "exif_orientation",
  "near_duplicate",
  "low_information",
  "dark",
  "light",
  "monochrome",
  "comic",
  "several_characters",
  "same_background",
  "no_caption",
  "empty_caption",
  "caption_bom",
  "caption_encoding",
  "caption_multi_line",
  "caption_lint",
  "junk_tags",
  "costume_tags",
  "trigger_not_first",
]);
export type ProblemCode = z.infer<typeof ProblemCode>;

/** `error`: the image can't be trained on as it is; `warning`: it would teach something wrong; `info`: good to know. */
export const Severity = z.enum(["error", "warning", "info"]);
export type Severity = z.infer<typeof Severity>;

/** One problem of a dataset, with the ids of the images that have it. `message` says what it is and what Fix would do. */
export const Problem = z.object({
  code: ProblemCode,
  severity: Severity,
  message: z.string(),
  images: z.array(z.string()),
  /** True when `dataset fix` can cure it by itself. */
  fixable: z.boolean(),
});
export type Problem = z.infer<typeof Problem>;

/** One picture with its caption. `id` is its path below the dataset's folder with `/` on every system. */
export const DatasetImage = z.object({
  id: z.string(),
  subset: z.string(),
  /** Pixels, after EXIF orientation; 0 when the file could not be read. */
  width: z.int().nonnegative(),
  height: z.int().nonnegative(),
  format: z.string(),
  bytes: z.int().nonnegative(),
  /** When the file was last changed, in milliseconds since 1970. */
  modifiedAt: z.int().optional(),
  /** True when at least one pixel is really transparent. */
  transparent: z.boolean(),
  /** 64-bit perceptual hash, 16 hex digits; null when the file could not be read. */
  phash: z.string().nullable(),
  /** The caption as text, decoded; null when there is no caption file. */
  caption: z.string().nullable(),
  tags: z.array(z.string()),
  problems: z.array(ProblemCode),
  /** The mask file that belongs to it, `<its folder>/masks/<its name>.png`, as a path below the root. */
  mask: z.string().optional(),
  /** Tokens of the caption for Stable Diffusion's text encoder. */
  tokens: z.int().nonnegative().optional(),
  /** Where it came from, as its sidecar says; absent for a picture that nobody knows the origin of. */
  origin: z.object({ site: z.string(), rating: z.string(), artists: z.array(z.string()) }).optional(),
});
export type DatasetImage = z.infer<typeof DatasetImage>;

/** One concept folder `<repeats>_<classTokens>` of kohya's layout. A folder of loose pictures is one subset named ".". */
export const Subset = z.object({
  name: z.string(),
  repeats: z.int().positive(),
  classTokens: z.string(),
  images: z.int().nonnegative(),
});
export type Subset = z.infer<typeof Subset>;

/** The result of a scan: everything that planning and the Pictures page need. */
export const Dataset = z.object({
  name: z.string(),
  root: z.string(),
  /** The tag that calls the concept; "" when none was set. Stored in `<dataset>/.train-lora.json`. */
  triggerWord: z.string(),
  subsets: z.array(Subset),
  images: z.array(DatasetImage),
  problems: z.array(Problem),
  /** What the tags that occur are about, of those whose category is known and not "general". */
  tagCategories: z.record(z.string(), TagCategory).optional(),
});
export type Dataset = z.infer<typeof Dataset>;

/** One line of the data set list. */
export const DatasetSummary = z.object({
  name: z.string(),
  images: z.int().nonnegative(),
  problems: z.int().nonnegative(),
  triggerWord: z.string(),
});
export type DatasetSummary = z.infer<typeof DatasetSummary>;

/** What one fix did, or with a dry run would do, to one image. `before` and `after` are captions or sizes in words. */
export const FixChange = z.object({
  image: z.string(),
  code: ProblemCode,
  before: z.string(),
  after: z.string(),
});
export type FixChange = z.infer<typeof FixChange>;

/** `editId` undoes the whole fix (`undoDataset`); null for a dry run or when nothing changed. */
export const FixReport = z.object({
  editId: z.string().nullable(),
  dryRun: z.boolean(),
  changes: z.array(FixChange),
});
export type FixReport = z.infer<typeof FixReport>;

/** Something about an import that a person should know although nothing was left behind. */
export const ImportNote = z.object({
  code: z.enum([
    "grabber_shared_log",
    "grabber_appended_log",
    "grabber_picture_log",
    "grabber_positions",
    "from_metadata",
    "already_there",
  ]),
  message: z.string(),
  /** The files that it is about; empty: all. */
  files: z.array(z.string()),
});
export type ImportNote = z.infer<typeof ImportNote>;

/** What an import took over and what it left behind, with the reason in words. */
export const ImportReport = z.object({
  name: z.string(),
  root: z.string(),
  images: z.int().nonnegative(),
  captions: z.int().nonnegative(),
  skipped: z.array(z.object({ file: z.string(), reason: z.string() })),
  notes: z.array(ImportNote),
});
export type ImportReport = z.infer<typeof ImportReport>;
