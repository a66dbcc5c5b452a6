import { existsSync, readFileSync, statSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import type { CaptionDifference, Comparison, PictureDifference } from "../../protocol/history.js";
import { decodeCaption } from "./caption-bytes.js";
import { openHistory } from "./edit-history.js";
import { inTurn } from "./edit-lock.js";
import type { Kept } from "./kept-files.js";
import { compare } from "./list-folder.js";
import { filesBefore, momentIndex } from "./moments.js";
import { baseName, isCaptionName, isPictureName } from "./picture-names.js";
import { recoverInTurn } from "./recover.js";
import { isSame } from "./restore.js";

const MAX_LISTED = 1000;

/**
 * What differs between two moments: `from` and `to` are ids of edits after which they were, "" is the beginning and null is now. When `from` is
 * the later one, the two are compared all the same, the other way round. Throws `not_found` for an unknown edit.
 */
export async function compareMoments(root: string, from: string | null, to: string | null): Promise<Comparison> {
  const folder = resolve(root);
  return await inTurn(folder, async () => {
    await recoverInTurn(folder);
    const history = openHistory(folder);
    const [a, b] = [momentIndex(history, from), momentIndex(history, to)];
    const [start, end] = [Math.min(a, b), Math.max(a, b)];
    const before = filesBefore(folder, history, start, end);
    const later = filesBefore(folder, history, end, history.ids.length);
    const changed = [...before].flatMap(([file, earlier]): Changed[] => {
      const then = later.has(file) ? (later.get(file) ?? null) : current(folder, file);
      if (isEqual(earlier, then)) return [];
      return [a <= b ? { file, before: earlier, after: then } : { file, before: then, after: earlier }];
    });
    return describe(changed.sort((one, other) => compare(one.file, other.file)));
  });
}

type Changed = { file: string; before: Kept | null; after: Kept | null };

function current(root: string, path: string): Kept | null {
  const file = join(root, path);
  return existsSync(file) ? { kind: "file", file } : null;
}

function isEqual(a: Kept | null, b: Kept | null): boolean {
  if (a === null || b === null) return a === b;
  if (a.kind === "file") return isSame(a.file, b);
  return b.kind === "file" ? isSame(b.file, a) : a.bytes.equals(b.bytes);
}

function describe(changed: readonly Changed[]): Comparison {
  const isMask = (file: string) => /(^|\/)masks\//.test(file);
  const pictures = pictureDifferences(changed.filter(({ file }) => isPictureName(file) && !isMask(file)));
  const moved = new Map(pictures.flatMap(({ file, from }) => (from === null ? [] : [[baseName(from), baseName(file)]])));
  const captions = captionDifferences(
    changed.filter(({ file }) => isCaptionName(file)),
    moved,
  );
  return {
    captions: captions.slice(0, MAX_LISTED),
    captionCount: captions.length,
    pictures: pictures.slice(0, MAX_LISTED),
    pictureCount: pictures.length,
    others: changed
      .map(({ file }) => file)
      .filter((file) => !isCaptionName(file) && (isMask(file) || !isPictureName(file)))
      .slice(0, MAX_LISTED),
  };
}

/** A picture that is gone and one that is new are the same one when their bytes are. */
function pictureDifferences(changed: readonly Changed[]): PictureDifference[] {
  const gone = new Map<number, Changed[]>();
  for (const one of changed) {
    if (one.before === null || one.after !== null) continue;
    const size = sizeOf(one.before);
    gone.set(size, [...(gone.get(size) ?? []), one]);
  }
  const movedFrom = new Map<string, string>();
  for (const { file, before, after } of changed) {
    if (before !== null || after === null) continue;
    const left = gone.get(sizeOf(after)) ?? [];
    const match = left.findIndex((one) => isEqual(one.before, after));
    if (match >= 0) movedFrom.set(file, left.splice(match, 1)[0]?.file ?? "");
  }
  const sources = new Set(movedFrom.values());
  return changed.flatMap(({ file, before, after }): PictureDifference[] => {
    if (sources.has(file)) return [];
    if (before === null) return [{ change: movedFrom.has(file) ? "moved" : "added", file, from: movedFrom.get(file) ?? null }];
    return [{ change: after === null ? "removed" : "edited", file, from: null }];
  });
}

/** A caption that went along with its picture and says the same is no difference. */
function captionDifferences(changed: readonly Changed[], moved: ReadonlyMap<string, string>): CaptionDifference[] {
  const all = new Map(changed.map(({ file, before, after }) => [file, { file, before: textOf(before), after: textOf(after) }]));
  for (const one of [...all.values()]) {
    const target = moved.get(baseName(one.file));
    const there = target === undefined ? undefined : all.get(target + extname(one.file));
    if (there === undefined || one.after !== null || there.before !== null) continue;
    all.delete(one.file);
    if (one.before === there.after) all.delete(there.file);
    else all.set(there.file, { ...there, before: one.before });
  }
  return [...all.values()];
}

function sizeOf(kept: Kept): number {
  return kept.kind === "text" ? kept.bytes.length : (statSync(kept.file, { throwIfNoEntry: false })?.size ?? -1);
}

function textOf(kept: Kept | null): string | null {
  if (kept === null) return null;
  try {
    return decodeCaption(kept.kind === "text" ? kept.bytes : readFileSync(kept.file)).text;
  } catch {
    // Gone while it was being compared.
    return null;
  }
}
