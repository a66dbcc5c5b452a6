import { z } from "zod";
import { Failure, FailureError } from "../../protocol/errors.js";
import { httpPaths } from "../../protocol/messages.js";
import type { Session } from "./session.js";

const text = z.string().nullable();
const number = z.number().nullable();

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
});
export type LoraFacts = z.infer<typeof LoraFacts>;

/** The recipe inside a LoRA file of the LoRA folder. */
export async function inspectLora(session: Session, file: string): Promise<LoraFacts> {
  const answer = await fetch(`${session.base}${httpPaths.inspect(file)}`);
  const body: unknown = await answer.json();
  if (answer.ok) return LoraFacts.parse(body);
  const failure = Failure.safeParse(body);
  throw failure.success
    ? new FailureError(failure.data.code, failure.data.message, failure.data.details)
    : new FailureError("unknown", answer.statusText);
}
