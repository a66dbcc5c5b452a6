import { resolve } from "node:path";
import type { AutotagReport } from "../../protocol/autotag.js";
import type { AutotagOptions } from "../../protocol/autotag-options.js";
import { tagChooser } from "../../protocol/choose-tags.js";
import { FailureError } from "../../protocol/errors.js";
import { mergeCaption } from "../../protocol/merge-caption.js";
import { readTriggerWord } from "../dataset/trigger-word.js";
import { scoredPictures } from "./dataset-scores.js";
import { editCaptions } from "./edit-captions.js";

export type ApplyRequest = {
  readonly tagger: { readonly id: string; readonly name: string };
  readonly options: AutotagOptions;
  /** Ids of the scan; all when absent. */
  readonly images?: readonly string[] | undefined;
  readonly dryRun: boolean;
};

/** Turns kept scores into captions, as one edit. Pictures without scores stay as they are. Throws `not_found` when there are no scores at all. */
export async function applyAutotag(root: string, { tagger, options, images, dryRun }: ApplyRequest): Promise<AutotagReport> {
  const folder = resolve(root);
  const { labels, pictures } = await scoredPictures(folder, tagger.id, images);
  const scored = pictures.filter(({ scores }) => scores !== null);
  if (scored.length === 0)
    throw new FailureError("not_found", `Expected scores by ${tagger.name} for these pictures, but there are none; run the tagger first.`);
  const choose = tagChooser(labels, options);
  const how = { merge: options.merge, order: options.order, triggerWord: await readTriggerWord(folder) };
  const report = await editCaptions(folder, {
    label: `autotag ${tagger.name}`,
    dryRun,
    pictures: async () => scored,
    of: ({ picture }) => picture,
    change: ({ scores }, caption) => mergeCaption(caption, choose(scores ?? []), how),
  });
  return { ...report, unscored: pictures.length - scored.length };
}
