import { basename, resolve } from "node:path";
import type { Dataset, DatasetImage, ProblemCode } from "../../protocol/dataset.js";
import { inTurn } from "./edit-lock.js";
import { findProblems } from "./problems.js";
import { recoverInTurn } from "./recover.js";
import { type OnProgress, type ScannedFolder, type ScannedImage, scanFolder } from "./scan-folder.js";
import { splitTags } from "./tags.js";
import { readTriggerWord } from "./trigger-word.js";

/**
 * Everything about the pictures and captions below `root`, with what is wrong with them. An edit that a crash cut off
 * is rolled back first. Pictures that did not change since the last scan are not decoded again.
 * Throws `dataset_not_found` when there is no such folder and `dataset_empty` when it holds no picture.
 */
export async function scanDataset(root: string, { onProgress }: { onProgress?: OnProgress } = {}): Promise<Dataset> {
  const folder = resolve(root);
  return await inTurn(folder, async () => {
    await recoverInTurn(folder);
    return describe(folder, await scanFolder(folder, onProgress), await readTriggerWord(folder));
  });
}

function describe(root: string, { images, subsets }: ScannedFolder, triggerWord: string): Dataset {
  const { byImage, problems } = findProblems(images, triggerWord);
  return {
    name: basename(root),
    root,
    triggerWord,
    subsets,
    images: images.map((image) => imageOf(image, byImage.get(image.id) ?? [])),
    problems,
  };
}

function imageOf({ id, subset, bytes, mtimeMs, facts, caption, mask }: ScannedImage, problems: ProblemCode[]): DatasetImage {
  return {
    id,
    subset,
    width: facts.width,
    height: facts.height,
    format: facts.format,
    bytes,
    modifiedAt: Math.round(mtimeMs),
    transparent: facts.ok && facts.transparent,
    phash: facts.ok ? facts.fingerprint.phash : null,
    caption: caption?.text.trim() ?? null,
    tags: splitTags(caption?.text ?? ""),
    problems,
    ...(mask === null ? {} : { mask }),
  };
}
