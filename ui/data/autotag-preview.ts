import type { TaggerScores } from "../../protocol/autotag.js";
import type { AutotagOptions } from "../../protocol/autotag-options.js";
import { tagChooser } from "../../protocol/choose-tags.js";
import type { DatasetImage } from "../../protocol/dataset.js";
import { captionDifference, mergeCaption } from "../../protocol/merge-caption.js";
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
  for (const { id, caption } of images) {
    const known = scores.images.get(id);
    if (known === undefined) {
      unscored += 1;
      continue;
    }
    const after = mergeCaption(caption, choose(known), how);
    if (after === (caption ?? "")) continue;
    const difference = captionDifference(caption, after);
    changed.push({ image: id, ...difference });
    for (const tag of difference.gained) gained.set(tag, (gained.get(tag) ?? 0) + 1);
    for (const tag of difference.lost) lost.set(tag, (lost.get(tag) ?? 0) + 1);
  }
  return { changed, gained: counted(gained), lost: counted(lost), unscored };
}

function counted(counts: ReadonlyMap<string, number>): TagCount[] {
  return [...counts].map(([tag, count]) => ({ tag, count })).sort((a, b) => b.count - a.count || a.tag.localeCompare(b.tag));
}
