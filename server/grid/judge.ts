import { join } from "node:path";
import type { Cell, CellFlag, Grid, JudgedCell } from "../../protocol/grid.js";
import type { GridSettings, Settings } from "../../protocol/settings.js";
import { type CopyTest, isCopy, makeCopyTest } from "./copies.js";
import { detectDamage, type TrainingRange, trainingRange } from "./detectors.js";
import { type Picture, readPicture } from "./picture.js";
import { type PictureStats, pictureStats } from "./picture-stats.js";
import { promptKinds } from "./prompt-kinds.js";
import { isCollapse, isLeak } from "./spread.js";
import { changeOfPicture, type Thumbprint, thumbprint } from "./thumbprint.js";
import { makeVerdict } from "./verdict.js";
import type { EpochEvaluation } from "./verdict-measures.js";

export type JudgeInput = {
  /** The folder that `cells[].file` and `sheet` are relative to. */
  gridDir: string;
  rows: Grid["rows"];
  cells: readonly Cell[];
  settings: GridSettings;
  width: number;
  height: number;
  clipSkip: number;
  baseModel: string;
  sheet: string;
  /** Empty for a grid without measured losses: it gets flags but no verdict. */
  evaluations: readonly EpochEvaluation[];
  /** Absolute paths of the pictures that were trained on. */
  trainingImages: readonly string[];
  triggerWord: string;
  subject?: Settings["subject"];
};

/**
 * Looks at every cell of a grid, flags what is wrong with it, and makes the verdict. A cell whose picture is missing or
 * broken on disk is left out; unreadable training pictures are passed over.
 */
export async function judgeGrid(input: JudgeInput): Promise<Grid> {
  const { rows, settings, width, height, clipSkip, baseModel, sheet } = input;
  const training = await lookAtTraining(input);
  const seen = (await readAll(input.cells, (cell) => readPicture(join(input.gridDir, cell.file)))).map(([cell, picture]) =>
    look(cell, picture),
  );
  const kinds = promptKinds(settings.prompts, input.triggerWord);
  const cells = flagCells(seen, training, kinds.called);
  const { subject } = input;
  // An epoch that is measured but not saved yet can't be recommended.
  const evaluations = input.evaluations.filter(({ epoch }) => epoch === 0 || rows.some((row) => row.epoch === epoch));
  const verdict = makeVerdict({
    evaluations,
    judgedCells: cells,
    weights: settings.weights,
    triggerPromptIndexes: kinds.called,
    kinPromptIndexes: kinds.kin,
    ...(subject && { subject }),
  });
  return { gridVersion: 1, baseModel, width, height, clipSkip, settings, rows, cells, sheet, verdict };
}

type Seen = { cell: Cell; stats: PictureStats; print: Thumbprint };
type Training = { range: TrainingRange | null; prints: Thumbprint[]; copies: CopyTest };

/** More pictures make the ranges and limits no better, only slower. */
const MAX_TRAINING = 200;

async function lookAtTraining({ trainingImages, width, height }: JudgeInput): Promise<Training> {
  const step = Math.max(1, trainingImages.length / MAX_TRAINING);
  const some = Array.from(
    { length: Math.min(MAX_TRAINING, trainingImages.length) },
    (_, index) => trainingImages[Math.floor(index * step)] ?? "",
  );
  const pictures = (await readAll(some, (file) => readPicture(file, { width, height }))).map(([, picture]) => picture);
  return { range: trainingRange(pictures.map(pictureStats)), prints: pictures.map(thumbprint), copies: makeCopyTest(pictures) };
}

/** Decodes a few at a time; what can't be read is left out. */
async function readAll<T>(items: readonly T[], read: (item: T) => Promise<Picture>): Promise<[T, Picture][]> {
  const results: [T, Picture][] = [];
  for (let at = 0; at < items.length; at += AT_ONCE) {
    const part = items.slice(at, at + AT_ONCE);
    const pictures = await Promise.all(part.map((item) => read(item).catch(() => null)));
    part.forEach((item, index) => {
      const picture = pictures[index];
      if (picture) results.push([item, picture]);
    });
  }
  return results;
}

const AT_ONCE = 8;

function look(cell: Cell, picture: Picture): Seen {
  return { cell, stats: pictureStats(picture), print: thumbprint(picture) };
}

type Neighbourhood = {
  training: Training;
  baseOf: (cell: Cell) => Seen | undefined;
  /** Cells of the same epoch and weight. */
  column: readonly Seen[];
  triggerIndexes: readonly number[];
};

function flagCells(seen: readonly Seen[], training: Training, triggerIndexes: readonly number[]): JudgedCell[] {
  const bases = new Map(seen.filter(({ cell }) => cell.epoch === 0).map((one) => [`${one.cell.prompt} ${one.cell.seed}`, one]));
  const baseOf = ({ prompt, seed }: Cell) => bases.get(`${prompt} ${seed}`);
  const columns = new Map<string, Seen[]>();
  for (const one of seen) columns.set(columnKey(one), [...(columns.get(columnKey(one)) ?? []), one]);
  return seen.map((one) => {
    const base = baseOf(one.cell);
    const damage: CellFlag[] = detectDamage(one.stats, base?.stats ?? one.stats, training.range);
    if (one.cell.epoch === 0 || damage.includes("black")) return { ...one.cell, flags: damage.filter((flag) => flag === "black") };
    return {
      ...one.cell,
      flags: [...damage, ...relations(one, { training, baseOf, column: columns.get(columnKey(one)) ?? [], triggerIndexes })],
    };
  });
}

function columnKey({ cell }: Seen): string {
  return `${cell.epoch} ${cell.weight}`;
}

function relations(one: Seen, { training, baseOf, column, triggerIndexes }: Neighbourhood): CellFlag[] {
  const base = baseOf(one.cell);
  const flags: CellFlag[] = isCopy(one.print, base?.print ?? null, training.copies) ? ["copy"] : [];
  const called = column.filter(({ cell }) => triggerIndexes.includes(cell.prompt));
  const changes = called.flatMap(({ cell, print }) => {
    const still = baseOf(cell)?.print;
    return still ? [changeOfPicture(print, still)] : [];
  });
  if (base && !triggerIndexes.includes(one.cell.prompt) && isLeak(one.print, base.print, changes)) flags.push("leak");
  const samePrompt = column.filter(({ cell }) => cell.prompt === one.cell.prompt);
  const baseSeeds = samePrompt.flatMap(({ cell }) => baseOf(cell)?.print ?? []);
  if (
    isCollapse(
      samePrompt.map(({ print }) => print),
      baseSeeds,
      training.prints,
    )
  )
    flags.push("collapse");
  return flags;
}
