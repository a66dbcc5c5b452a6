import { copyFile, link, mkdir, symlink, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import sharp from "sharp";
import { FailureError } from "../../../protocol/errors.js";
import type { Plan, PlanImage } from "../../../protocol/plan.js";
import type { ExportSubset } from "../../plan/kohya/export-dataset.js";

/**
 * The pictures that the plan trains on, as folders that sd-scripts reads: held-out ones are left out, each has the plan's caption, and
 * pictures are links wherever sd-scripts would see the same as our trainer. It obeys no EXIF mark, blackens transparent parts and knows
 * few formats, so such pictures are written anew. What lies in `folder` from before is used again.
 * Throws `dataset_not_found` when a picture is gone, `disk_full`.
 */
export async function makeTrainingFolders(plan: Plan, folder: string): Promise<ExportSubset[]> {
  const subsets: ExportSubset[] = [];
  for (const [index, images] of groupsOf(plan).entries()) {
    const [first] = images;
    if (first === undefined) continue;
    const own = plan.settings.subsetSettings[first.subset] ?? {};
    const keepsAlpha = own.alphaMask ?? plan.settings.alphaMask;
    const path = join(folder, `${index + 1}-${plain(first.subset)}`);
    await mkdir(path, { recursive: true });
    for (const [number, image] of images.entries()) {
      const stem = join(path, String(number + 1).padStart(5, "0"));
      await placePicture(join(plan.dataset.root, ...image.id.split("/")), stem, image, keepsAlpha);
      // An empty file stops sd-scripts; an empty line is an empty caption.
      await writeFile(`${stem}.txt`, `${image.caption}\n`);
    }
    subsets.push({ folder: path, repeats: first.repeats, isReg: first.isReg === true, own });
  }
  return subsets;
}

/** Pictures of one subset with the same repeats, which the plan may set by picture. */
function groupsOf({ images }: Plan): PlanImage[][] {
  const groups = new Map<string, PlanImage[]>();
  for (const image of images) {
    if (image.heldOut) continue;
    const key = `${image.subset}\n${image.repeats}`;
    groups.set(key, [...(groups.get(key) ?? []), image]);
  }
  return [...groups.values()];
}

function plain(subset: string): string {
  return subset.replace(/[^\w-]+/g, "_").replace(/^_+|_+$/g, "") || "pictures";
}

const READABLE: ReadonlySet<string> = new Set([".png", ".jpg", ".jpeg", ".webp", ".bmp"]);

async function placePicture(source: string, stem: string, image: PlanImage, keepsAlpha: boolean): Promise<void> {
  const ending = extname(source).toLowerCase();
  if (READABLE.has(ending) && (await isPlain(source, image, keepsAlpha))) {
    await linkFile(source, `${stem}${ending}`);
    return;
  }
  const upright = sharp(source).autoOrient().toColourspace("srgb");
  await (keepsAlpha ? upright.ensureAlpha() : upright.flatten({ background: "white" })).png().toFile(`${stem}.png`);
}

async function isPlain(source: string, image: PlanImage, keepsAlpha: boolean): Promise<boolean> {
  try {
    const { width, height, orientation = 1, hasAlpha, depth, pages = 1, space } = await sharp(source).metadata();
    const isSame = width === image.width && height === image.height && orientation === 1;
    return isSame && (keepsAlpha || !hasAlpha) && depth === "uchar" && pages === 1 && space === "srgb";
  } catch (error) {
    if (extname(source).toLowerCase() === ".bmp") return true;
    throw new FailureError(
      "dataset_not_found",
      `Expected the picture ${source} of the plan, but it can't be read (${error instanceof Error ? error.message : String(error)}); put it back, or plan the run again without it.`,
    );
  }
}

/** Links cost no room; a disk that has none, or another disk, gets a copy. */
async function linkFile(source: string, target: string): Promise<void> {
  for (const way of [link, symlink, copyFile]) {
    try {
      await way(source, target);
      return;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "";
      if (code === "EEXIST") return;
      if (code === "ENOENT" || way === copyFile) throw error;
    }
  }
}
