import type { FixChange, ProblemCode } from "../../protocol/dataset.js";
import { captionFixers } from "./caption-fix.js";
import type { FixWork } from "./fix.js";
import { hasPictureName, textName } from "./picture-names.js";
import { isRegularisation } from "./regularisation.js";
import type { ScannedImage } from "./scan-folder.js";
import { captionLines } from "./tags.js";

/**
 * Cures the captions of these pictures (as they are after the pictures' own fixes). Two pictures that share a caption file share what
 * happens to it; each gets its own line in the report.
 */
export async function fixCaptions(images: readonly ScannedImage[], flattened: ReadonlySet<string>, work: FixWork): Promise<FixChange[]> {
  const byFile = new Map<string, ScannedImage[]>();
  for (const image of images) {
    const file = image.captionFile ?? textName(image.id);
    byFile.set(file, [...(byFile.get(file) ?? []), image]);
  }
  const changes: FixChange[] = [];
  for (const [file, sharing] of byFile) changes.push(...(await fixOne(file, sharing, flattened, work)));
  return changes;
}

async function fixOne(file: string, sharing: readonly ScannedImage[], flattened: ReadonlySet<string>, work: FixWork): Promise<FixChange[]> {
  const { edit } = work;
  const first = sharing[0];
  if (first === undefined) return [];
  const changes: FixChange[] = [];
  const wants = (code: ProblemCode) => sharing.some(({ id }) => work.isWanted(code, id));
  const note = (code: ProblemCode, before: string, after: string) =>
    changes.push(
      ...sharing.filter(({ id }) => work.isWanted(code, id)).map(({ id }) => ({ image: work.renames.get(id) ?? id, code, before, after })),
    );
  const text = fixText(first, {
    wants,
    note,
    flattened: sharing.some(({ id }) => flattened.has(id)),
    triggerWord: isRegularisation(first.subset) ? "" : work.triggerWord,
  });
  const target = renamed(file, sharing, wants);
  if (target !== file) note("caption_lint", file, target);
  if (changes.length === 0) return changes;
  await edit.write(target, text);
  if (target !== file) await edit.remove(file);
  return changes;
}

type TextWork = {
  wants: (code: ProblemCode) => boolean;
  note: (code: ProblemCode, before: string, after: string) => void;
  flattened: boolean;
  triggerWord: string;
};

/** The caption's text after all wanted fixes; each that changed something is noted. */
function fixText({ caption }: ScannedImage, { wants, note, flattened, triggerWord }: TextWork): string {
  if (caption === null) {
    if (triggerWord !== "" && wants("no_caption")) note("no_caption", "no caption", triggerWord);
    return triggerWord;
  }
  let { text } = caption;
  if (caption.bom && wants("caption_bom")) note("caption_bom", "UTF-8 with a byte order mark", "UTF-8");
  if (caption.encoding !== null && wants("caption_encoding")) note("caption_encoding", caption.encoding, "UTF-8");
  // An empty file stays as it is unless it gets a text: white space is nothing to tidy.
  const isEmpty = captionLines(text).length === 0;
  for (const { code, fix } of captionFixers) {
    if (!wants(code) || (isEmpty && code !== "empty_caption")) continue;
    const after = fix(text, { triggerWord, flattened });
    if (after === text) continue;
    note(code, text.trim(), after);
    text = after;
  }
  return text;
}

/** `a.png.txt` becomes `a.txt`, unless a picture of another extension already has that caption. */
function renamed(file: string, sharing: readonly ScannedImage[], wants: (code: ProblemCode) => boolean): string {
  const owner = sharing.find(({ id, captionFile }) => captionFile !== null && hasPictureName(captionFile, id));
  return owner !== undefined && wants("caption_lint") ? textName(owner.id) : file;
}
