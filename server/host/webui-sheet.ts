import { existsSync } from "node:fs";
import { join } from "node:path";
import sharp, { type OverlayOptions } from "sharp";
import type { RenderSettings } from "../../protocol/host.js";
import type { WebuiCell } from "../../protocol/job.js";
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
const [INK, QUIET, HOLE] = ["#1f2328", "#656d76", "#f3f4f6"];

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
  const overlays = await Promise.all(sheet.cells.map((cell) => placed(sheet, layout, cell)));
  const ground = sharp({
    create: { width: layout.width, height: layout.height, channels: 3, background: "#ffffff" },
    limitInputPixels: false,
  });
  const picture = ground.composite([{ input: Buffer.from(labels(sheet, layout)) }, ...overlays.flat()]);
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
    width: left + columns * (cell.width + GAP) + text,
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

function labels({ title, settings }: WebuiSheet, layout: Layout): string {
  const { text, cell, top, left, blockHeight, epochs, weights, seeds, prompts } = layout;
  const span = seeds.length * (cell.width + GAP) - GAP;
  const parts = [write(title, { x: text, y: text * 2, size: text * 1.3, fill: INK })];
  for (const [block, prompt] of prompts.entries()) {
    const y = top + block * blockHeight;
    parts.push(
      write(cut(settings.prompts[prompt] ?? "", layout.width / (text * 0.6)), { x: text, y: y + text * 1.4, size: text, fill: INK }),
    );
    for (const [column, weight] of [null, ...weights].entries())
      parts.push(
        write(weight === null ? "no LoRA" : String(weight), {
          x: columnLeft(layout, column, 0) + span / 2,
          y: y + text * 3.3,
          size: text,
          fill: weight === null ? QUIET : INK,
          anchor: "middle",
        }),
      );
    for (const row of Array.from({ length: Math.max(1, epochs.length) }, (_, index) => index)) {
      const middle = rowTop(layout, block, row) + cell.height / 2;
      if (epochs[row] !== undefined)
        parts.push(write(`epoch ${epochs[row]}`, { x: left - text / 2, y: middle, size: text, fill: INK, anchor: "end" }));
      parts.push(...holes(layout, block, row));
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${layout.width}" height="${layout.height}" font-family="sans-serif">${parts.join("")}</svg>`;
}

function holes(layout: Layout, block: number, row: number): string[] {
  const { cell, weights, seeds } = layout;
  return [null, ...weights].flatMap((_, column) =>
    seeds.map(
      (_seed, index) =>
        `<rect x="${columnLeft(layout, column, index)}" y="${rowTop(layout, block, row)}" width="${cell.width}" height="${cell.height}" fill="${HOLE}"/>`,
    ),
  );
}

function write(
  text: string,
  { x, y, size, fill = INK, anchor = "start" }: { x: number; y: number; size: number; fill: string | undefined; anchor?: string },
): string {
  // XML knows no control characters at all.
  const safe = text.replace(/\p{Cc}/gu, " ").replace(/[&<>]/g, (mark) => `&#${mark.charCodeAt(0)};`);
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}" text-anchor="${anchor}">${safe}</text>`;
}

function cut(text: string, letters: number): string {
  return text.length > letters ? `${text.slice(0, Math.max(1, letters - 1))}…` : text;
}
