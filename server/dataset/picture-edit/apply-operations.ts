import { FailureError } from "../../../protocol/errors.js";
import type { PictureOperation } from "../../../protocol/picture-edit.js";
import { sharp } from "../decoder.js";
import { heal, type Pixels } from "./heal.js";

/** A picture in work: its colours, how opaque each pixel is (null: all of them), and how much each counts in training (null: there is no mask). */
export type Canvas = Pixels & { alpha: Uint8Array | null; mask: Uint8Array | null };

/** Does the operations one after another. Throws `bad_request` for one that does not fit the picture. */
export async function applyOperations(canvas: Canvas, operations: readonly PictureOperation[]): Promise<Canvas> {
  let changed = canvas;
  for (const operation of operations) changed = await apply(changed, operation);
  return changed;
}

async function apply(canvas: Canvas, operation: PictureOperation): Promise<Canvas> {
  switch (operation.type) {
    case "crop":
      return crop(canvas, operation);
    case "heal":
      return healed(canvas, await readMask(operation.mask, canvas));
    case "fill":
      return filled(canvas, await readMask(operation.mask, canvas), operation.colour);
    case "turn":
      return await eachPlane(canvas, (picture) => picture.rotate(operation.degrees));
    case "mirror":
      return await eachPlane(canvas, (picture) => picture.flop());
    case "flatten":
      return flattened(canvas, operation.colour);
    case "alphaToMask":
      return { ...flattened(canvas, operation.colour), mask: canvas.alpha ?? canvas.mask };
    default: {
      const unknownOperation: never = operation;
      return unknownOperation;
    }
  }
}

function crop(canvas: Canvas, { left, top, width, height }: Extract<PictureOperation, { type: "crop" }>): Canvas {
  if (left + width > canvas.width || top + height > canvas.height)
    throw new FailureError(
      "bad_request",
      `Expected a part of the picture of ${canvas.width} × ${canvas.height} pixels, but got ${width} × ${height} from ${left}, ${top} on; draw the frame again.`,
    );
  const part = (plane: Uint8Array, channels: number) => {
    const out = new Uint8Array(width * height * channels);
    for (let y = 0; y < height; y++) {
      const from = ((top + y) * canvas.width + left) * channels;
      out.set(plane.subarray(from, from + width * channels), y * width * channels);
    }
    return out;
  };
  const [alpha, mask] = [canvas.alpha && part(canvas.alpha, 1), canvas.mask && part(canvas.mask, 1)];
  return { data: part(canvas.data, 3), width, height, alpha, mask };
}

function healed(canvas: Canvas, brush: Uint8Array): Canvas {
  if (heal(canvas, brush)) return canvas;
  throw new FailureError(
    "bad_request",
    "Expected something around the brush that its colours could come from, but all of the picture was marked; mark less.",
  );
}

function filled(canvas: Canvas, brush: Uint8Array, colour: string): Canvas {
  const data = Uint8Array.from(canvas.data);
  const alpha = canvas.alpha && Uint8Array.from(canvas.alpha);
  for (const [at, strength] of brush.entries()) {
    if (strength === 0) continue;
    mixInto(data, at, channelsOf(colour), strength / 255);
    if (alpha) alpha[at] = Math.max(alpha[at] ?? 0, strength);
  }
  return { ...canvas, data, alpha };
}

function flattened(canvas: Canvas, colour: string): Canvas {
  if (canvas.alpha === null) return canvas;
  const behind = canvas.alpha.map((opaque) => 255 - opaque);
  return filled({ ...canvas, alpha: null }, behind, colour);
}

function mixInto(data: Uint8Array, at: number, channels: readonly number[], share: number): void {
  for (const [channel, value] of channels.entries())
    data[3 * at + channel] = Math.round(share * value + (1 - share) * (data[3 * at + channel] ?? 0));
}

async function eachPlane(canvas: Canvas, change: (picture: ReturnType<typeof sharp>) => ReturnType<typeof sharp>): Promise<Canvas> {
  const moved = async (plane: Uint8Array, channels: 1 | 3) => {
    const picture = change(sharp(plane, { raw: { width: canvas.width, height: canvas.height, channels } }));
    const kept = channels === 1 ? picture.toColourspace("b-w") : picture;
    return await kept.raw().toBuffer({ resolveWithObject: true });
  };
  const { data, info } = await moved(canvas.data, 3);
  const alpha = canvas.alpha && (await moved(canvas.alpha, 1)).data;
  const mask = canvas.mask && (await moved(canvas.mask, 1)).data;
  return { data, width: info.width, height: info.height, alpha, mask };
}

/** The brush as large as the picture. */
async function readMask(base64: string, { width, height }: Pixels): Promise<Uint8Array> {
  try {
    return await sharp(Buffer.from(base64, "base64"))
      .flatten({ background: "#000000" })
      .resize(width, height, { fit: "fill", kernel: "linear" })
      .toColourspace("b-w")
      .extractChannel(0)
      .raw()
      .toBuffer();
  } catch {
    throw new FailureError("bad_request", "Expected the mask of an edit as a PNG, but it can't be read; draw it again.");
  }
}

function channelsOf(colour: string): [number, number, number] {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
