import { join } from "node:path";
import type { FixChange } from "../../protocol/dataset.js";
import { DECODERS } from "./decoder.js";
import type { FixWork } from "./fix.js";
import { isOversized, type ReadablePicture, readPicture } from "./picture.js";
import { baseName, captionNames, hasPictureName, textName } from "./picture-names.js";
import { isBeyond } from "./picture-problems.js";
import { mapPool } from "./pool.js";
import { type PictureChanges, renderPicture, sizeAfter } from "./render-picture.js";
import type { ScannedImage } from "./scan-folder.js";
import { isConvertible } from "./sniff.js";

/** The pictures as they will be, and the ids of those whose transparency was filled. */
export type FixedPictures = { images: ScannedImage[]; flattened: Set<string>; changes: FixChange[] };

/** Turns, shrinks, fills, crops and converts what needs it; each picture is decoded and saved once for all of it. */
export async function fixPictures(images: readonly ScannedImage[], work: FixWork): Promise<FixedPictures> {
  const changes: FixChange[] = [];
  const flattened = new Set<string>();
  const taken = new Set(images.map(({ id }) => id.toLowerCase()));
  const planned = images.map((image) => planOne(image, work, taken));
  const fixed = await mapPool(planned, DECODERS, async (plan) => {
    if (plan.facts === null) return plan.image;
    changes.push(...wordsOf(plan, plan.facts));
    if (plan.changes.flatten) flattened.add(plan.id);
    return await fixOne(plan, plan.facts, work);
  });
  return { images: fixed, flattened, changes };
}

/** `facts` is null for a picture that stays as it is; `id` is the path afterwards. */
type PicturePlan = { image: ScannedImage; id: string; changes: PictureChanges; facts: ReadablePicture | null };

function planOne(image: ScannedImage, { isWanted }: FixWork, taken: Set<string>): PicturePlan {
  const { facts, id } = image;
  const nothing: PictureChanges = { upright: false, shrink: false, flatten: false, crop: false, toPng: false };
  if (!facts.ok) return { image, id, changes: nothing, facts: null };
  const changes: PictureChanges = {
    upright: facts.orientation !== 1 && isWanted("exif_orientation", id),
    shrink: isOversized(facts) && isWanted("too_large", id),
    flatten: facts.transparent && isWanted("transparent", id),
    crop: isBeyond(facts) && isWanted("beyond_3_to_1", id),
    toPng: isConvertible(facts.format) && isWanted("unsupported_format", id),
  };
  const isChanged = Object.values(changes).includes(true);
  return { image, id: changes.toPng ? freeName(id, taken) : id, changes, facts: isChanged ? facts : null };
}

/** `a.gif` becomes `a.png`, or `a-2.png` … when that name is taken. */
function freeName(id: string, taken: Set<string>): string {
  for (let number = 1; ; number++) {
    const name = `${baseName(id)}${number === 1 ? "" : `-${number}`}.png`;
    if (taken.has(name.toLowerCase())) continue;
    taken.add(name.toLowerCase());
    return name;
  }
}

async function fixOne({ image, id, changes }: PicturePlan, facts: ReadablePicture, work: FixWork): Promise<ScannedImage> {
  const rendered = await renderPicture(join(work.root, image.id), facts, changes);
  await work.edit.write(id, rendered);
  const after = await readPicture(rendered);
  const captionFile = id === image.id ? image.captionFile : await rename(image, id, work);
  return { ...image, id, bytes: rendered.length, facts: after.facts, captionFile };
}

/** Takes the old file away and sees to it that the caption is found from the new name; returns the caption's path. */
async function rename({ id: old, captionFile, caption }: ScannedImage, id: string, { edit, renames }: FixWork): Promise<string | null> {
  renames.set(id, old);
  await edit.remove(old);
  if (captionFile === null || caption === null || captionNames(id).includes(captionFile)) return captionFile;
  await edit.write(textName(id), caption.text);
  if (hasPictureName(captionFile, old)) await edit.remove(captionFile);
  return textName(id);
}

function wordsOf({ image, changes }: PicturePlan, facts: ReadablePicture): FixChange[] {
  const words: FixChange[] = [];
  const add = (code: FixChange["code"], before: string, after: string) => words.push({ image: image.id, code, before, after });
  const size = ({ width, height }: { width: number; height: number }) => `${width}×${height}`;
  const shrunk = sizeAfter(facts, { ...changes, crop: false });
  if (changes.shrink) add("too_large", size(facts), size(shrunk));
  if (changes.toPng) add("unsupported_format", facts.format.toUpperCase(), "PNG");
  if (changes.flatten) add("transparent", "transparent", "filled with white");
  if (changes.crop) add("beyond_3_to_1", size(shrunk), size(sizeAfter(facts, changes)));
  if (changes.upright) add("exif_orientation", `turned by its EXIF mark ${facts.orientation}`, "turned in its pixels");
  return words;
}
