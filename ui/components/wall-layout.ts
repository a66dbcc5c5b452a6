/** Where the cells of a wall lie: so many columns of squares with a gap between them. Lengths are in CSS pixels. */
export type WallLayout = { columns: number; cell: number; pitch: number; rows: number; height: number };

/** As many columns as fit at the wished size; the cells share what is left. */
export function wallLayout({ count, width, size, gap }: { count: number; width: number; size: number; gap: number }): WallLayout {
  const columns = Math.max(1, Math.floor((width + gap) / (Math.min(size, Math.max(1, width)) + gap)));
  const cell = Math.max(1, (width - gap * (columns - 1)) / columns);
  const rows = Math.ceil(count / columns);
  return { columns, cell, pitch: cell + gap, rows, height: Math.max(0, rows * (cell + gap) - gap) };
}

/** First and last + 1 of the rows to draw when `top` … `bottom` of the wall is in sight, with some rows more on both sides. */
export function rowsInSight({ pitch, rows }: WallLayout, top: number, bottom: number): { first: number; end: number } {
  const spare = Math.max(2, Math.ceil((bottom - top) / pitch / 2));
  const first = Math.max(0, Math.floor(top / pitch) - spare);
  const end = Math.min(rows, Math.ceil(bottom / pitch) + spare);
  return end <= first ? { first: 0, end: 0 } : { first, end };
}
