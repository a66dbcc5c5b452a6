export type Box = { left: number; top: number; right: number; bottom: number };
export type Corner = "bottom-right" | "bottom-left" | "top-left" | "top-right";

const corners: readonly Corner[] = ["bottom-right", "bottom-left", "top-left", "top-right"];

/** The first corner of the window where something of this size covers none of the obstacles; else the one where it covers least. */
export function freeCorner(
  size: { width: number; height: number },
  view: { width: number; height: number },
  obstacles: readonly Box[],
): Corner {
  const covered = (corner: Corner) => obstacles.reduce((sum, obstacle) => sum + overlap(boxAt(corner, size, view), obstacle), 0);
  return corners.reduce((best, corner) => (covered(corner) < covered(best) ? corner : best));
}

function boxAt(corner: Corner, { width, height }: { width: number; height: number }, view: { width: number; height: number }): Box {
  const left = corner.endsWith("right") ? view.width - width : 0;
  const top = corner.startsWith("bottom") ? view.height - height : 0;
  return { left, top, right: left + width, bottom: top + height };
}

function overlap(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return Math.max(0, width) * Math.max(0, height);
}
