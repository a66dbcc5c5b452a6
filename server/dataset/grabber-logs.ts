import type { ImportNote } from "../../protocol/dataset.js";
import { decodeCaption } from "./caption-bytes.js";
import type { PlacedPicture } from "./import-layout.js";
import type { SourceFile } from "./import-source.js";
import { baseName, captionNames, hasPictureName, isCaptionName } from "./picture-names.js";
import { captionLines } from "./tags.js";

/** What the doctor says: captions that differ from the files' own, by picture, and what a person should know. */
export type GrabberCare = { captions: Map<PlacedPicture, string>; notes: ImportNote[] };

/** Names by position: what most instructions for Grabber make people type as `%position%.%ext%`. */
const POSITION = /^\d{1,6}$/;
/** So many pictures, and such a share of all, before their names are called positions. */
const ENOUGH = 5;
const MOSTLY = 0.8;

/**
 * Heals what Grabber's log files do to captions. It appends to a log that is there and names it without the picture's extension, so that
 * `1.jpg` of one search and `1.png` of the next share `1.txt`, one line each, and a picture that was deleted and fetched again
 * has two lines. Only pictures with names by position are touched: lines of others may be meant as wildcards.
 */
export async function careForGrabber(pictures: readonly PlacedPicture[]): Promise<GrabberCare> {
  const care: GrabberCare = { captions: new Map(), notes: [] };
  const positions = pictures.filter(({ source }) => POSITION.test(nameOf(source.path)));
  const shared: string[] = [];
  const appended: string[] = [];
  for (const [log, sharing] of byLog(positions)) {
    const lines = distinct(captionLines(decodeCaption(await log.read()).text));
    if (lines.length < 2) continue;
    const own = lines.slice(-sharing.length);
    const oldestFirst = [...sharing].sort((a, b) => a.source.modifiedAt - b.source.modifiedAt);
    // Fewer lines than pictures: nobody can tell whose are missing, so the last picture has the last line.
    for (const [index, picture] of oldestFirst.entries()) care.captions.set(picture, own[Math.min(index, own.length - 1)] ?? "");
    (sharing.length > 1 ? shared : appended).push(...sharing.map(({ source }) => source.path));
  }
  if (shared.length > 0) care.notes.push(sharedNote(shared));
  if (appended.length > 0) care.notes.push(appendedNote(appended));
  const misplaced = pictures.filter(({ source, caption }) => caption !== null && hasPictureName(caption.path, source.path));
  if (misplaced.length > 0) care.notes.push(misplacedNote(misplaced.map(({ caption }) => caption?.path ?? "")));
  if (positions.length >= ENOUGH && positions.length >= MOSTLY * pictures.length) care.notes.push(POSITIONS_NOTE);
  return care;
}

/** The logs of these pictures with the pictures that look into each. */
function byLog(pictures: readonly PlacedPicture[]): Map<SourceFile, PlacedPicture[]> {
  const found = new Map<SourceFile, PlacedPicture[]>();
  for (const picture of pictures) {
    if (picture.caption === null || !isCaptionName(picture.caption.path)) continue;
    found.set(picture.caption, [...(found.get(picture.caption) ?? []), picture]);
  }
  return found;
}

/** Fetching one picture twice writes one line twice. */
function distinct(lines: readonly string[]): string[] {
  const trimmed = lines.map((line) => line.trim());
  return trimmed.filter((line, index) => trimmed.lastIndexOf(line) === index);
}

function nameOf(path: string): string {
  return baseName(path.split("/").at(-1) ?? "");
}

function sharedNote(files: string[]): ImportNote {
  return {
    code: "grabber_shared_log",
    message:
      "Two searches wrote their tags into one log, because Grabber names it without the picture's extension. The lines were given out by the pictures' age; look at these captions.",
    files,
  };
}

function appendedNote(files: string[]): ImportNote {
  return {
    code: "grabber_appended_log",
    message: "Grabber had appended to logs of earlier downloads. The newest line was taken, which belongs to the picture that is there.",
    files,
  };
}

function misplacedNote(files: string[]): ImportNote {
  const [first = ""] = files;
  const [wanted = ""] = captionNames(baseName(first));
  return {
    code: "grabber_picture_log",
    message: `Tags lay where trainers do not look, as in ${first}; they were taken over as ${wanted.split("/").at(-1)} and the like. In Grabber choose the suffix "without extension".`,
    files,
  };
}

const POSITIONS_NOTE: ImportNote = {
  code: "grabber_positions",
  message:
    "The pictures are named by their position in a search. A second search into the same folder silently leaves out each picture whose number is taken; name them %md5%.%ext% in Grabber, or use a folder for each search.",
  files: [],
};
