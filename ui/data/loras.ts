import { z } from "zod";
import { httpPaths } from "../../protocol/messages.js";
import { refusalOf } from "./refusal.js";
import type { Session } from "./session.js";

const text = z.string().nullable();
const number = z.number().nullable();

// Users edit cards by hand: a field of another type is not shown, and is no reason to show nothing.
const cardText = z.string().optional().catch(undefined);

/** The card that the WebUI shows of a LoRA, in the spelling of its file; a field that was never written is missing. */
const LoraCard = z.object({
  "activation text": cardText,
  "preferred weight": z.number().optional().catch(undefined),
  "negative text": cardText,
  description: cardText,
  notes: cardText,
});

/** What the page shows of a LoRA file's inspection; the server sends more. */
const LoraFacts = z.object({
  kind: z.string(),
  modules: z.object({ unet: z.number(), textEncoder: z.number(), other: z.number() }),
  dims: z.array(z.number()),
  dtypes: z.array(z.string()),
  recipe: z.object({
    outputName: text,
    baseModel: text,
    networkDim: number,
    networkAlpha: number,
    epoch: number,
    epochs: number,
    step: number,
    unetLr: number,
    textEncoderLr: number,
    optimizer: text,
    lrScheduler: text,
    batchSize: number,
    resolution: text,
    clipSkip: number,
    seed: number,
    tags: z.array(z.object({ tag: z.string(), count: z.number() })),
    triggerCandidates: z.array(z.string()),
  }),
  hashes: z.object({ model: z.string(), matches: z.boolean().nullable() }),
  /** Null without a card beside the file. */
  card: LoraCard.nullable().default(null),
});
export type LoraFacts = z.infer<typeof LoraFacts>;

/** The recipe inside a LoRA file of the LoRA folder. */
export async function inspectLora(session: Session, file: string): Promise<LoraFacts> {
  const answer = await session.fetch(httpPaths.inspect(file));
  if (!answer.ok) throw await refusalOf(answer);
  return LoraFacts.parse(await answer.json());
}
