import type { FixChange } from "../../protocol/dataset.js";
import { findDuplicates } from "./duplicates.js";
import type { FixWork } from "./fix.js";
import type { ScannedImage } from "./scan-folder.js";

/** Takes away pictures that repeat a better one, and captions that then belong to no picture. */
export async function removeDuplicates(
  images: readonly ScannedImage[],
  { edit, isWanted, renames }: FixWork,
): Promise<{ images: ScannedImage[]; changes: FixChange[] }> {
  const duplicates = findDuplicates(images).filter(({ id }) => isWanted("near_duplicate", id));
  const gone = new Set(duplicates.map(({ id }) => id));
  const kept = images.filter(({ id }) => !gone.has(id));
  const needed = new Set(kept.map(({ captionFile }) => captionFile));
  const orphans = new Set(images.flatMap(({ captionFile }) => (captionFile === null || needed.has(captionFile) ? [] : [captionFile])));
  for (const id of gone) await edit.remove(id);
  for (const captionFile of orphans) await edit.remove(captionFile);
  const knownAs = (id: string) => renames.get(id) ?? id;
  const changes = duplicates.map(
    ({ id, of, mirrored }): FixChange => ({
      image: knownAs(id),
      code: "near_duplicate",
      before: mirrored ? `mirrors ${knownAs(of)}` : `repeats ${knownAs(of)}`,
      after: "moved to the trash",
    }),
  );
  return { images: kept, changes };
}
