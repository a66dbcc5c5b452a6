/** A part of a picture in its pixels. */
export type Frame = { left: number; top: number; width: number; height: number };
export type Point = { x: number; y: number };

/** Smaller frames are slips of the hand. */
const LEAST = 8;

/** The frame between two corners, within the picture; null when it is too small to be meant. */
export function frameBetween(a: Point, b: Point, { width, height }: { width: number; height: number }): Frame | null {
  const clamp = (value: number, most: number) => Math.round(Math.min(most, Math.max(0, value)));
  const [left, right] = [clamp(Math.min(a.x, b.x), width), clamp(Math.max(a.x, b.x), width)];
  const [top, bottom] = [clamp(Math.min(a.y, b.y), height), clamp(Math.max(a.y, b.y), height)];
  return right - left < LEAST || bottom - top < LEAST ? null : { left, top, width: right - left, height: bottom - top };
}

/** Where a pointer is, in the canvas' own pixels. */
export function pointIn(canvas: HTMLCanvasElement, event: PointerEvent): Point {
  const box = canvas.getBoundingClientRect();
  return { x: ((event.clientX - box.left) * canvas.width) / box.width, y: ((event.clientY - box.top) * canvas.height) / box.height };
}

/** A stroke of the brush; `size` is its width in the canvas' pixels. */
export function paintDot(context: CanvasRenderingContext2D, from: Point, to: Point, size: number): void {
  context.strokeStyle = "rgb(230 40 160)";
  context.lineCap = "round";
  context.lineWidth = size;
  context.beginPath();
  context.moveTo(from.x, from.y);
  // A line of no length would draw nothing.
  context.lineTo(to.x + 0.01, to.y);
  context.stroke();
}

/** What was painted as the server takes it: a PNG in base64, white where there is a mark and black elsewhere. */
export function maskPng(marks: HTMLCanvasElement): string {
  const scale = Math.min(1, 2048 / Math.max(marks.width, marks.height));
  const mask = document.createElement("canvas");
  mask.width = Math.max(1, Math.round(marks.width * scale));
  mask.height = Math.max(1, Math.round(marks.height * scale));
  const context = mask.getContext("2d");
  if (context === null) return "";
  context.drawImage(marks, 0, 0, mask.width, mask.height);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, mask.width, mask.height);
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "#000000";
  context.fillRect(0, 0, mask.width, mask.height);
  return mask.toDataURL("image/png").replace(/^data:image\/png;base64,/, "");
}
