import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { FailureError } from "../../protocol/errors.js";

/** The WebUI's card beside a LoRA, `<name>.json`: an object whose other keys are somebody else's and stay. */
export const LoraCard = z.record(z.string(), z.unknown());
export type LoraCard = z.infer<typeof LoraCard>;

/** What we write into a card, by the WebUI's names. */
export type OwnCard = {
  readonly description: string;
  readonly "sd version": string;
  readonly "activation text": string;
  readonly "preferred weight": number;
  readonly notes: string;
};

/** With these an empty value, "" or 0, means that nobody has set them. */
const EMPTY_IS_UNSET = new Set(["activation text", "preferred weight"]);

/**
 * `own` merged into the card that is there. A value is the user's, and stays, when it is another than the one in `written`, which
 * is what we have written there before; an absent key and an empty activation text or weight are nobody's.
 */
export function mergeCard(existing: LoraCard, own: OwnCard, written: Partial<OwnCard>): LoraCard {
  const before = LoraCard.parse(written);
  const ours = Object.entries(own).filter(([key]) => {
    const value = existing[key];
    const unset = value === undefined || (EMPTY_IS_UNSET.has(key) && (value === "" || value === 0 || value === null));
    return unset || isDeepStrictEqual(value, before[key]);
  });
  return { ...existing, ...Object.fromEntries(ours) };
}

/** Where the WebUI looks for the card of a LoRA file. */
export function cardFileOf(lora: string): string {
  return lora.replace(/\.[^./\\]+$/, ".json");
}

/** The card in `file`, empty when there is none. Throws `bad_request` for a file that holds something else, which is never replaced. */
export async function readCard(file: string): Promise<LoraCard> {
  const text = await readFile(file, "utf8").catch(() => null);
  if (text === null) return {};
  const card = LoraCard.safeParse(parseJson(text));
  if (card.success) return card.data;
  throw new FailureError(
    "bad_request",
    `Expected the WebUI's card of the LoRA in ${basename(file)}, but it holds something else; move that file away and try again. It was left as it is.`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema's refusal says it.
    return undefined;
  }
}
