import type { TaggerScores } from "../../protocol/autotag.js";
import type { AutotagOptions } from "../../protocol/autotag-options.js";
import { type ChosenTag, tagChooser } from "../../protocol/choose-tags.js";
import type { DatasetImage } from "../../protocol/dataset.js";
import { type CaptionMerge, captionDifference, mergeCaption, spellingKey, splitCaption } from "../../protocol/merge-caption.js";
import { type LabelCategory, type LabelScore, type TaggerLabel, unpackScores } from "../../protocol/tag-scores.js";
import type { TagCount } from "./tags.js";

/** A tagger's scores, unpacked once so that thresholds can move without waiting. */
export type ReadScores = { labels: readonly TaggerLabel[]; images: ReadonlyMap<string, readonly LabelScore[]> };

export type CaptionPreview = { image: string; gained: string[]; lost: string[] };

/** What the captions would become: those that change, and what is gained and lost over all of them, most frequent first. */
export type AutotagPreview = { changed: CaptionPreview[]; gained: TagCount[]; lost: TagCount[]; unscored: number };

export const noScores: ReadScores = { labels: [], images: new Map() };

export function unpackAll({ labels, images }: TaggerScores): ReadScores {
  return { labels, images: new Map(Object.entries(images).map(([id, packed]) => [id, unpackScores(packed)])) };
}

/** Categories that the tagger has names for, in the order of the sliders. */
export function categoriesOf({ labels }: ReadScores): LabelCategory[] {
  const there = new Set(labels.map(([, category]) => category));
  return SLIDERS.filter((category) => there.has(category));
}

const SLIDERS: readonly LabelCategory[] = ["general", "character", "copyright", "artist", "meta", "rating", "quality", "model"];

export function previewAutotag(
  images: readonly DatasetImage[],
  scores: ReadScores,
  { options, triggerWord }: { options: AutotagOptions; triggerWord: string },
): AutotagPreview {
  const choose = tagChooser(scores.labels, options);
  const how = { merge: options.merge, order: options.order, triggerWord };
  const [gained, lost] = [new Map<string, number>(), new Map<string, number>()];
  const changed: CaptionPreview[] = [];
  let unscored = 0;
  for (const image of images) {
    const known = scores.images.get(image.id);
    if (known === undefined) {
      unscored += 1;
      continue;
    }
    const difference = differenceOf(image, choose(known), how);
    if (difference === null) continue;
    changed.push({ image: image.id, ...difference });
    for (const tag of difference.gained) gained.set(tag, (gained.get(tag) ?? 0) + 1);
    for (const tag of difference.lost) lost.set(tag, (lost.get(tag) ?? 0) + 1);
  }
  return { changed, gained: counted(gained), lost: counted(lost), unscored };
}

type Difference = Pick<CaptionPreview, "gained" | "lost">;

/** Null for a caption that stays as it is. */
function differenceOf(image: DatasetImage, chosen: readonly ChosenTag[], how: CaptionMerge): Difference | null {
  const caption = image.caption ?? "";
  const isAdding = how.merge === "append" || how.merge === "prepend";
  // Of twenty thousand captions only those are put together whose text decides.
  if (isAdding && caption !== "" && !/[\r\n]/.test(caption)) return addedTo(keysOf(image, caption), chosen, how.triggerWord);
  const after = mergeCaption(image.caption, chosen, how);
  return after === caption ? null : captionDifference(caption, after);
}

function addedTo(known: ReadonlySet<string>, chosen: readonly ChosenTag[], triggerWord: string): Difference | null {
  const fresh = new Map<string, string>();
  for (const { tag } of chosen) {
    const key = spellingKey(tag);
    if (!known.has(key) && !fresh.has(key)) fresh.set(key, tag);
  }
  if (fresh.size === 0) return null;
  const trigger = spellingKey(triggerWord);
  if (triggerWord === "" || known.has(trigger)) return { gained: [...fresh.values()], lost: [] };
  fresh.delete(trigger);
  return { gained: [triggerWord, ...fresh.values()], lost: [] };
}

// A scan's pictures never change; the next scan has new ones.
const keysOfImages = new WeakMap<DatasetImage, ReadonlySet<string>>();

function keysOf(image: DatasetImage, caption: string): ReadonlySet<string> {
  const keys = keysOfImages.get(image) ?? new Set(splitCaption(caption).map(spellingKey));
  keysOfImages.set(image, keys);
  return keys;
}

function counted(counts: ReadonlyMap<string, number>): TagCount[] {
  return [...counts].map(([tag, count]) => ({ tag, count })).sort((a, b) => b.count - a.count || a.tag.localeCompare(b.tag));
}
