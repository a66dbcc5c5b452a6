import type { ImportNote } from "../../protocol/dataset.js";
import { captionOfPost, readSidecar } from "./foreign-sidecar.js";
import { careForGrabber } from "./grabber-logs.js";
import type { Layout, PlacedPicture } from "./import-layout.js";
import type { Skipped, SourceFile } from "./import-source.js";
import { type KohyaMetadata, kohyaCaption, readKohyaMetadata } from "./kohya-metadata.js";
import type { Beside } from "./take-picture.js";

/** What other tools have written about the pictures of a source, and where it was no use. */
export type BesidePictures = { besideOf: (picture: PlacedPicture) => Promise<Beside>; notes: ImportNote[]; skipped: Skipped[] };

/**
 * Captions and origins of pictures from logs of Grabber, JSON of gallery-dl and metadata of sd-scripts. A caption file of a picture's own
 * goes before all of them.
 */
export async function readBeside({ pictures, lists }: Layout): Promise<BesidePictures> {
  const care = await careForGrabber(pictures);
  const metadata: KohyaMetadata[] = [];
  const skipped: Skipped[] = [];
  for (const list of lists) {
    const found = readKohyaMetadata(await textOf(list));
    if (found === null) skipped.push({ file: list.path, reason: "It is neither about a picture that is here nor a list of captions." });
    else metadata.push(found);
  }
  const notes = [...care.notes, ...(await metadataNote(pictures, metadata))];
  return { notes, skipped, besideOf };

  async function besideOf(picture: PlacedPicture): Promise<Beside> {
    const sidecar = picture.sidecar === null ? null : readSidecar(await textOf(picture.sidecar));
    const post = sidecar?.post ?? null;
    const healed = care.captions.get(picture) ?? null;
    if (healed !== null || picture.caption !== null) return { caption: healed, post };
    const tags = post === null ? "" : captionOfPost(post);
    const listed = metadata.map((one) => kohyaCaption(one, picture.source.path)).find((found) => found !== null);
    return { caption: listed ?? sidecar?.caption ?? (tags === "" ? null : tags), post };
  }
}

async function metadataNote(pictures: readonly PlacedPicture[], metadata: readonly KohyaMetadata[]): Promise<ImportNote[]> {
  const without = pictures.filter(({ caption }) => caption === null);
  const files = without.map(({ source }) => source.path).filter((path) => metadata.some((one) => kohyaCaption(one, path) !== null));
  if (files.length === 0) return [];
  return [{ code: "from_metadata", message: "These pictures have their captions from a metadata file of sd-scripts.", files }];
}

async function textOf(file: SourceFile): Promise<string> {
  return (await file.read()).toString("utf8").replace(/^\uFEFF/, "");
}
