import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { DisagreementList } from "../../protocol/autotag.js";
import { byStrength, type Disagreement, disagreementFinder, settledKey } from "../../protocol/disagreements.js";
import { spellingKey, splitCaption } from "../../protocol/merge-caption.js";
import { Post, type PostTags } from "../../protocol/post.js";
import { inSlices } from "../dataset/in-slices.js";
import { baseName } from "../dataset/picture-names.js";
import { readTriggerWord } from "../dataset/trigger-word.js";
import { writeAtomically } from "../dataset/write-atomically.js";
import { type ScoredPicture, scoredPictures } from "./dataset-scores.js";
import { editCaptions, readCaption } from "./edit-captions.js";
import { ownFolder } from "./score-file.js";

/** A page shows no more, and works off the strongest first. */
const MOST_ITEMS = 5000;

export type Settled = Pick<Disagreement, "image" | "tag" | "kind">;

/** Judgements by the SHA-256 of the picture that they are about. */
const SettledFile = z.record(z.string(), z.array(z.string()));

/** Where a data set's captions and a tagger differ, strongest first, without what a person has judged already. */
export async function readDisagreements(root: string, tagger: string): Promise<DisagreementList> {
  const folder = resolve(root);
  const { labels, pictures } = await scoredPictures(folder, tagger);
  const settled = readSettled(folder);
  const find = disagreementFinder({ labels, triggerWord: await readTriggerWord(folder) });
  const items: Disagreement[] = [];
  let unscored = 0;
  function* looks(): Generator<void, void> {
    for (const { picture, hash, scores } of pictures) {
      yield;
      if (scores === null || hash === null) unscored += 1;
      else {
        const caption = picture.caption === null ? null : readCaption(join(folder, picture.caption));
        const tags = splitCaption(caption ?? "");
        const known = { image: picture.id, tags, post: postOf(folder, picture.id), scores, settled: new Set(settled[hash]) };
        items.push(...find(known));
      }
    }
  }
  await inSlices(looks());
  items.sort(byStrength);
  return { items: items.slice(0, MOST_ITEMS), total: items.length, unscored };
}

/** Does what the tagger says of `accept` as one edit, and remembers that `keep` is right as it is. */
export async function settleDisagreements(
  root: string,
  tagger: string,
  { accept, keep }: { accept: readonly Settled[]; keep: readonly Settled[] },
): Promise<{ editId: string | null }> {
  const folder = resolve(root);
  if (keep.length > 0) await remember(folder, await scoredPictures(folder, tagger, images(keep)), keep);
  if (accept.length === 0) return { editId: null };
  const wanted = groupByImage(accept);
  const { pictures } = await scoredPictures(folder, tagger, images(accept));
  const { editId } = await editCaptions(folder, {
    label: accept.length === 1 ? `disagreement ${accept[0]?.tag ?? ""}` : "disagreements",
    dryRun: false,
    pictures: async () => pictures,
    of: ({ picture }) => picture,
    change: ({ picture }, caption) => (wanted.get(picture.id) ?? []).reduce(accepted, caption ?? ""),
  });
  return { editId };
}

function accepted(caption: string, { tag, kind }: Settled): string {
  const key = spellingKey(tag);
  const lines = caption.split(/\r\n|\r|\n/);
  return lines.map((line) => (kind === "doubted" ? without(line, key) : withTag(line, tag))).join("\n");
}

function without(line: string, key: string): string {
  const tags = splitCaption(line);
  const rest = tags.filter((tag) => spellingKey(tag) !== key);
  return rest.length === tags.length ? line : rest.join(", ");
}

function withTag(line: string, tag: string): string {
  const tags = splitCaption(line);
  if (tags.some((one) => spellingKey(one) === spellingKey(tag))) return line;
  return tags.length === 0 ? tag : `${line.replace(/[\s,，]+$/, "")}, ${tag}`;
}

async function remember(root: string, { pictures }: { pictures: readonly ScoredPicture[] }, keep: readonly Settled[]): Promise<void> {
  const wanted = groupByImage(keep);
  const settled = readSettled(root);
  for (const { picture, hash } of pictures)
    if (hash !== null) settled[hash] = [...new Set([...(settled[hash] ?? []), ...(wanted.get(picture.id) ?? []).map(settledKey)])];
  await writeAtomically(settledFile(root), JSON.stringify(settled));
}

function readSettled(root: string): z.infer<typeof SettledFile> {
  try {
    return SettledFile.parse(JSON.parse(readFileSync(settledFile(root), "utf8")));
  } catch {
    // Nothing was judged yet, or the file is spoilt; then the list is as long as at first.
    return {};
  }
}

function settledFile(root: string): string {
  return join(ownFolder(root), "settled.json");
}

function postOf(root: string, image: string): PostTags | null {
  const file = join(root, `${baseName(image)}.json`);
  try {
    return existsSync(file) ? Post.parse(JSON.parse(readFileSync(file, "utf8"))).tags : null;
  } catch {
    // Another program's file of the same name tells nothing of a booru.
    return null;
  }
}

function images(settled: readonly Settled[]): string[] {
  return [...new Set(settled.map(({ image }) => image))];
}

function groupByImage(settled: readonly Settled[]): Map<string, Settled[]> {
  const groups = new Map<string, Settled[]>();
  for (const one of settled) groups.set(one.image, [...(groups.get(one.image) ?? []), one]);
  return groups;
}
