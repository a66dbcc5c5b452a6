import type { TaggerScores } from "../../protocol/autotag.js";
import { type LabelScore, type TaggerLabel, unpackScores } from "../../protocol/tag-scores.js";
import { type ListedPicture, listFolder } from "../dataset/list-folder.js";
import { pictureHashes } from "./picture-hashes.js";
import { readScoreFile } from "./score-file.js";

/** A picture with what a tagger said of it; `scores` is null when it has not seen it as it is now. */
export type ScoredPicture = {
  readonly picture: ListedPicture;
  readonly hash: string | null;
  readonly scores: readonly LabelScore[] | null;
};

/** The raw scores of a data set's pictures as a page wants them. */
export async function readTaggerScores(root: string, tagger: string): Promise<TaggerScores> {
  const { labels, scores } = await readScoreFile(root, tagger);
  const { pictures } = await listFolder(root);
  const hashes = await pictureHashes(
    root,
    pictures.map(({ id }) => id),
  );
  const images: TaggerScores["images"] = {};
  for (const { id } of pictures) {
    const packed = scores.get(hashes.get(id) ?? "");
    if (packed !== undefined) images[id] = packed;
  }
  return { labels: [...labels], images };
}

/** The pictures of a data set with their scores, and the tagger's labels. `images` are ids of the scan; all when absent. */
export async function scoredPictures(
  root: string,
  tagger: string,
  images?: readonly string[],
): Promise<{ labels: readonly TaggerLabel[]; pictures: ScoredPicture[] }> {
  const { labels, scores } = await readScoreFile(root, tagger);
  const wanted = images === undefined ? null : new Set(images);
  const listed = (await listFolder(root)).pictures.filter(({ id }) => wanted?.has(id) ?? true);
  const hashes = await pictureHashes(
    root,
    listed.map(({ id }) => id),
  );
  const pictures = listed.map((picture): ScoredPicture => {
    const hash = hashes.get(picture.id) ?? null;
    const packed = hash === null ? undefined : scores.get(hash);
    return { picture, hash, scores: packed === undefined ? null : unpackScores(packed) };
  });
  return { labels, pictures };
}
