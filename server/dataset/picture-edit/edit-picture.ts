import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FailureError } from "../../../protocol/errors.js";
import type { PictureEdited, PictureOperation } from "../../../protocol/picture-edit.js";
import { decodeCaption } from "../caption-bytes.js";
import { captionFixers } from "../caption-fix.js";
import { companionsOf } from "../companions.js";
import { sharp } from "../decoder.js";
import { editImages, type ImageEdit, type ImagePlace, pathOf } from "../edit-images.js";
import { listMasks, MASKS } from "../list-masks.js";
import { DECODE, type ReadablePicture, readPicture } from "../picture.js";
import { baseName, isCaptionName } from "../picture-names.js";
import { isTrained } from "../sniff.js";
import { applyOperations, type Canvas } from "./apply-operations.js";

/**
 * Changes a picture's pixels, and its mask and caption where they must follow, as one edit that is undone like a fix. JPEGs are saved with
 * hardly visible loss, PNG and WebP without any; the picture is turned upright by the way.
 * Throws `not_found`, and `bad_request` for a picture that can't be edited or an operation that does not fit it.
 */
export async function editPicture(root: string, image: string, operations: readonly PictureOperation[]): Promise<PictureEdited> {
  let size = { width: 0, height: 0 };
  const label = `edit ${image}: ${[...new Set(operations.map(({ type }) => type))].join(", ")}`;
  const { editId } = await editImages(root, { label, images: [image] }, async (work, place) => {
    size = await editOne(work, place, operations);
    return null;
  });
  if (editId === null) throw new Error("an edit of a picture changed nothing");
  return { editId, ...size };
}

async function editOne(
  work: ImageEdit,
  { below, name }: ImagePlace,
  operations: readonly PictureOperation[],
): Promise<{ width: number; height: number }> {
  const file = join(work.root, pathOf(below, name));
  const { facts } = await readPicture(file);
  if (!facts.ok || !isTrained(facts.format))
    throw new FailureError(
      "bad_request",
      `Expected a PNG, JPEG or WebP to edit, but ${name} ${facts.ok ? `is ${facts.format.toUpperCase()}` : facts.reason}; fix the data set first.`,
    );
  const maskName = (await listMasks(work.root, below === "." ? "" : below)).get(baseName(name).toLowerCase());
  const before = await readCanvas(file, maskName === undefined ? null : join(work.root, maskName));
  const after = await applyOperations(before, operations);
  await work.edit.write(pathOf(below, name), await encode(after, facts));
  if (after.mask !== null) await writeMask(work, { path: maskName ?? pathOf(below, `${MASKS}/${baseName(name)}.png`), canvas: after });
  if (before.alpha !== null && after.alpha === null) await retag(work, { below, name });
  return { width: after.width, height: after.height };
}

async function readCanvas(file: string, maskFile: string | null): Promise<Canvas> {
  const picture = sharp(file, DECODE).autoOrient().toColourspace("srgb").ensureAlpha();
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  const [colours, alpha] = [new Uint8Array(3 * info.width * info.height), new Uint8Array(info.width * info.height)];
  for (let at = 0; at < alpha.length; at++) {
    for (let channel = 0; channel < 3; channel++) colours[3 * at + channel] = data[4 * at + channel] ?? 0;
    alpha[at] = data[4 * at + 3] ?? 255;
  }
  const isOpaque = alpha.every((value) => value === 255);
  const mask =
    maskFile === null
      ? null
      : await sharp(maskFile, DECODE)
          .resize(info.width, info.height, { fit: "fill" })
          .toColourspace("b-w")
          .extractChannel(0)
          .raw()
          .toBuffer();
  return { data: colours, width: info.width, height: info.height, alpha: isOpaque ? null : alpha, mask };
}

async function encode({ data, width, height, alpha }: Canvas, { format }: ReadablePicture): Promise<Buffer> {
  const opaque = sharp(data, { raw: { width, height, channels: 3 } });
  const picture = alpha === null ? opaque : opaque.joinChannel(Buffer.from(alpha), { raw: { width, height, channels: 1 } });
  if (format === "jpeg") return await picture.jpeg({ quality: 95, chromaSubsampling: "4:4:4" }).toBuffer();
  if (format === "webp") return await picture.webp({ lossless: true }).toBuffer();
  return await picture.png().toBuffer();
}

async function writeMask(work: ImageEdit, { path, canvas: { mask, width, height } }: { path: string; canvas: Canvas }): Promise<void> {
  const picture = sharp(Buffer.from(mask ?? []), { raw: { width, height, channels: 1 } }).toColourspace("b-w");
  await work.edit.write(path, await picture.png().toBuffer());
}

/** In the captions `transparent background` becomes what is to be seen instead, as Fix does it. */
async function retag(work: ImageEdit, { below, name }: ImagePlace): Promise<void> {
  const { own } = companionsOf(name, await work.remaining(below));
  const rename = captionFixers.find(({ code }) => code === "transparent");
  for (const caption of own.filter(isCaptionName)) {
    const { text } = decodeCaption(await readFile(join(work.root, pathOf(below, caption))));
    const after = rename?.fix(text, { triggerWord: "", flattened: true }) ?? text;
    if (after !== text) await work.edit.write(pathOf(below, caption), after);
  }
}
