import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FailureError } from "../../protocol/errors.js";
import { lintTag } from "./caption-lint.js";

/** Name of the file that holds a data set's own facts; hidden, so that trainers pass it by. */
export const DATASET_FILE = ".train-lora.json";

const DatasetFile = z.looseObject({ triggerWord: z.string().default("") });

/** The stored trigger word; "" when none was set or the file can't be understood. */
export async function readTriggerWord(root: string): Promise<string> {
  return (await readDatasetFile(root)).triggerWord;
}

/** The content of `.train-lora.json` with this trigger word; other facts in it stay. */
export async function datasetFileWith(root: string, triggerWord: string): Promise<string> {
  return `${JSON.stringify({ ...(await readDatasetFile(root)), triggerWord }, null, 2)}\n`;
}

/** The word as captions will hold it. Throws `bad_request` for a word that would fall apart into several tags. */
export function checkTriggerWord(word: string): string {
  const tag = lintTag(word.normalize("NFC"), { keepUnderscores: true });
  if (/[,，、\r\n]/.test(tag) || tag.length > 200) {
    throw new FailureError(
      "bad_request",
      `Expected the trigger word to be one tag, but "${word}" has a comma or is too long; choose one short word such as "lantern_keeper".`,
    );
  }
  return tag;
}

async function readDatasetFile(root: string): Promise<z.infer<typeof DatasetFile>> {
  try {
    return DatasetFile.parse(JSON.parse(await readFile(join(root, DATASET_FILE), "utf8")));
  } catch {
    // Absent or spoilt by hand: the data set has no trigger word, which is a state that users can mend.
    return { triggerWord: "" };
  }
}
