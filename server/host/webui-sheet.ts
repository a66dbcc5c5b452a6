import { existsSync } from "node:fs";
import { join } from "node:path";
import type { OverlayOptions } from "sharp";
import type { RenderSettings } from "../../protocol/host.js";
import type { WebuiCell } from "../../protocol/job.js";
import { sharp } from "../dataset/decoder.js";
import { writeAtomically } from "../dataset/write-atomically.js";

export type WebuiSheet = {
  readonly title: string;
  readonly settings: RenderSettings;
  readonly cells: readonly WebuiCell[];
  /** The run's `webui/` folder. */
  readonly folder: string;
};

const GAP = 8;
const MAX_PIXELS = 60_000_000;
const MAX_SIDE = 16_000;
const MIN_WIDTH = 640;
const INK = "#1f2328";
const QUIET = "#656d76";
const HOLE = "#f3f4f6";

type Layout = {
  readonly cell: { width: number; height: number };
  readonly text: number;
  readonly left: number;
  readonly top: number;
  readonly epochs: readonly number[];
  readonly weights: readonly number[];
  readonly seeds: readonly number[];
  readonly prompts: readonly number[];
  readonly blockHeight: number;
  readonly width: number;
  readonly height: number;
};

/**
 * Draws the cells as one labelled picture into `file`: per prompt a table with epochs down and weights across, the column without a
 * LoRA first, seeds side by side. Cells that are not drawn are pale squares; a grid beyond 60 megapixels is scaled down.
 */
export async function writeWebuiSheet(sheet: WebuiSheet, file: string): Promise<void> {
  const layout = layoutOf(sheet);
  const labels = await Promise.all(labelsOf(sheet, layout).map(written));
  const cells = await Promise.all(sheet.cells.map((cell) => placed(sheet, layout, cell)));
  const ground = sharp({
    create: { width: layout.width, height: layout.height, channels: 3, background: "#ffffff" },
    limitInputPixels: false,
  });
  const picture = ground.composite([...holes(layout), ...cells.flat(), ...labels.flat()]);
  await writeAtomically(file, await picture.png({ compressionLevel: 6 }).toBuffer());
}

function layoutOf({ settings, cells }: WebuiSheet): Layout {
  const sorted = (values: number[]) => [...new Set(values)].sort((a, b) => a - b);
  const epochs = sorted(cells.map(({ epoch }) => epoch).filter((epoch) => epoch > 0));
  const weights = sorted(cells.filter(({ epoch }) => epoch > 0).map(({ weight }) => weight));
  const lists = { epochs, weights, seeds: sorted(cells.map(({ seed }) => seed)), prompts: sorted(cells.map(({ prompt }) => prompt)) };
  const columns = (weights.length + 1) * lists.seeds.length;
  const rows = Math.max(1, epochs.length) * lists.prompts.length;
  const whole = { width: settings.width * columns, height: settings.height * rows };
  const scale = Math.min(1, Math.sqrt(MAX_PIXELS / (whole.width * whole.height)), MAX_SIDE / whole.width, MAX_SIDE / whole.height);
  const cell = { width: Math.max(8, Math.round(settings.width * scale)), height: Math.max(8, Math.round(settings.height * scale)) };
  const text = Math.round(Math.min(32, Math.max(14, cell.width / 14)));
  const blockHeight = text * 4 + Math.max(1, epochs.length) * (cell.height + GAP) + text;
  const [left, top] = [text * 6, text * 3];
  return {
    ...lists,
    cell,
    text,
    left,
    top,
    blockHeight,
    width: Math.max(MIN_WIDTH, left + columns * (cell.width + GAP) + text),
    height: top + lists.prompts.length * blockHeight,
  };
}

async function placed({ folder }: WebuiSheet, layout: Layout, { epoch, weight, prompt, seed, file }: WebuiCell): Promise<OverlayOptions[]> {
  const path = join(folder, ...file.split("/"));
  if (!existsSync(path)) return [];
  const input = await sharp(path)
    .resize({ ...layout.cell, fit: "fill" })
    .flatten({ background: "#ffffff" })
    .png()
    .toBuffer();
  const left = columnLeft(layout, epoch === 0 ? 0 : layout.weights.indexOf(weight) + 1, layout.seeds.indexOf(seed));
  // The column without a LoRA belongs to every row.
  const rows = epoch === 0 ? Math.max(1, layout.epochs.length) : 1;
  const first = epoch === 0 ? 0 : layout.epochs.indexOf(epoch);
  return Array.from({ length: rows }, (_, row) => ({ input, left, top: rowTop(layout, layout.prompts.indexOf(prompt), first + row) }));
}

function columnLeft({ left, cell, seeds }: Layout, column: number, seed: number): number {
  return left + (column * seeds.length + seed) * (cell.width + GAP);
}

function rowTop({ top, text, cell, blockHeight }: Layout, block: number, row: number): number {
  return top + block * blockHeight + text * 4 + row * (cell.height + GAP);
}

type Label = {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly quiet?: boolean;
  readonly align: "left" | "centre" | "right";
  readonly size: number;
};

function labelsOf({ title, settings }: WebuiSheet, layout: Layout): Label[] {
  const { text: size, cell, top, left, blockHeight, epochs, weights, seeds, prompts, width } = layout;
  const span = seeds.length * (cell.width + GAP) - GAP;
  const blocks = prompts.flatMap((prompt, block): Label[] => [
    { text: cut(settings.prompts[prompt] ?? "", width / (size * 0.6)), x: size, y: top + block * blockHeight + size, align: "left", size },
    ...[null, ...weights].map((weight, column): Label => {
      const x = columnLeft(layout, column, 0) + span / 2;
      const y = top + block * blockHeight + size * 3;
      return { text: weight === null ? "no LoRA" : String(weight), x, y, quiet: weight === null, align: "centre", size };
    }),
    ...epochs.map((epoch, row): Label => {
      return { text: `epoch ${epoch}`, x: left - size / 2, y: rowTop(layout, block, row) + cell.height / 2, align: "right", size };
    }),
  ]);
  return [{ text: cut(title, width / (size * 0.8)), x: size, y: size * 1.6, align: "left", size: Math.round(size * 1.3) }, ...blocks];
}

// Pango's text, because no SVG is ever opened here; `y` is the text's middle.
async function written({ text, x, y, quiet = false, align, size }: Label): Promise<OverlayOptions[]> {
  const safe = text.replace(/\p{Cc}/gu, " ").replace(/[&<>]/g, (mark) => `&#${mark.charCodeAt(0)};`);
  if (safe.trim() === "") return [];
  const markup = `<span foreground="${quiet ? QUIET : INK}">${safe}</span>`;
  const picture = sharp({ text: { text: markup, font: `sans ${size}`, dpi: 72, rgba: true } }).png();
  const { data, info } = await picture.toBuffer({ resolveWithObject: true });
  const left = x - { left: 0, centre: info.width / 2, right: info.width }[align];
  return [{ input: data, left: Math.max(0, Math.round(left)), top: Math.max(0, Math.round(y - info.height / 2)) }];
}

function holes(layout: Layout): OverlayOptions[] {
  const { cell, weights, seeds, epochs, prompts } = layout;
  const input = { create: { width: cell.width, height: cell.height, channels: 3, background: HOLE } } as const;
  return prompts.flatMap((_prompt, block) =>
    Array.from({ length: Math.max(1, epochs.length) }, (_, row) => row).flatMap((row) =>
      [null, ...weights].flatMap((_weight, column) =>
        seeds.map((_seed, index) => ({ input, left: columnLeft(layout, column, index), top: rowTop(layout, block, row) })),
      ),
    ),
  );
}

function cut(text: string, letters: number): string {
  return text.length > letters ? `${text.slice(0, Math.max(1, letters - 1))}…` : text;
}
