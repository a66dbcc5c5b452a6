import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { CaptionChange } from "../../protocol/autotag.js";
import { decodeCaption } from "../dataset/caption-bytes.js";
import { inTurn } from "../dataset/edit-lock.js";
import { DRY_SESSION, openEdit } from "../dataset/edit-session.js";
import type { ListedPicture } from "../dataset/list-folder.js";
import { textName } from "../dataset/picture-names.js";
import { recoverInTurn } from "../dataset/recover.js";

/** What is larger is something else that happens to be named so. */
const MAX_CAPTION_BYTES = 1_000_000;

export type CaptionEdit<Picture> = {
  readonly label: string;
  readonly dryRun: boolean;
  readonly pictures: () => Promise<readonly Picture[]>;
  readonly of: (picture: Picture) => ListedPicture;
  /** The new caption; the same text leaves the file as it is, byte for byte. */
  readonly change: (picture: Picture, caption: string | null) => string;
};

/** Writes the captions that `change` gives as one edit, which an undo takes back. `editId` is null when nothing changed. */
export async function editCaptions<Picture>(
  root: string,
  { label, dryRun, pictures, of, change }: CaptionEdit<Picture>,
): Promise<{ editId: string | null; changes: CaptionChange[] }> {
  return await inTurn(root, async () => {
    await recoverInTurn(root);
    const edit = dryRun ? DRY_SESSION : await openEdit(root, label);
    // Two pictures of one name share a file: the second goes on from what the first made of it.
    const written = new Map<string, string>();
    try {
      const changes: CaptionChange[] = [];
      for (const each of await pictures()) {
        const { id, caption } = of(each);
        const file = caption ?? textName(id);
        const before = written.get(file) ?? (caption === null ? null : readCaption(join(root, caption)));
        const after = change(each, before).normalize("NFC");
        if (after === (before ?? "")) continue;
        await edit.write(file, after);
        written.set(file, after);
        changes.push({ image: id, before: before ?? "", after });
      }
      return { editId: await edit.commit(), changes };
    } catch (error) {
      await edit.abandon();
      throw error;
    }
  });
}

/** The caption as text, decoded; null where there is none that can be read as one. */
export function readCaption(file: string): string | null {
  const facts = statSync(file, { throwIfNoEntry: false });
  if (facts === undefined || facts.size > MAX_CAPTION_BYTES) return null;
  return decodeCaption(readFileSync(file)).text.trim();
}
