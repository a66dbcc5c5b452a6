import type { AutotagReport, DisagreementList, TaggerList, TaggerScores } from "../../protocol/autotag.js";
import type { AutotagOptions } from "../../protocol/autotag-options.js";
import type { Disagreement } from "../../protocol/disagreements.js";
import { ResultOf } from "../../protocol/messages.js";
import type { Session } from "./session.js";

export function listTaggers(session: Session): Promise<TaggerList> {
  return session.connection.request(ResultOf.listTaggers, { type: "listTaggers" });
}

/** Resolves with the id of the task that does it, as the next two do. */
export async function installTagger(session: Session): Promise<string> {
  return (await session.connection.request(ResultOf.installTagger, { type: "installTagger" })).task;
}

export async function downloadTagger(session: Session, repository: string): Promise<string> {
  return (await session.connection.request(ResultOf.downloadTagger, { type: "downloadTagger", repository })).task;
}

export async function runAutotag(session: Session, dataset: string, tagger: string): Promise<string> {
  return (await session.connection.request(ResultOf.runAutotag, { type: "runAutotag", dataset, tagger })).task;
}

export function readScores(session: Session, dataset: string, tagger: string): Promise<TaggerScores> {
  return session.connection.request(ResultOf.readScores, { type: "readScores", dataset, tagger });
}

export type ApplyAutotag = { dataset: string; tagger: string; options: AutotagOptions; images?: string[] };

export function applyAutotag(session: Session, request: ApplyAutotag): Promise<AutotagReport> {
  return session.connection.request(ResultOf.applyAutotag, { type: "applyAutotag", ...request, dryRun: false });
}

export function readDisagreements(session: Session, dataset: string, tagger: string): Promise<DisagreementList> {
  return session.connection.request(ResultOf.readDisagreements, { type: "readDisagreements", dataset, tagger });
}

/** Does what the tagger says of `accept`; `keep` stays as it is and does not come again. */
export async function settleDisagreements(
  session: Session,
  { dataset, tagger, accept, keep }: { dataset: string; tagger: string; accept: readonly Disagreement[]; keep: readonly Disagreement[] },
): Promise<void> {
  const plain = (items: readonly Disagreement[]) => items.map(({ image, tag, kind }) => ({ image, tag, kind }));
  await session.connection.request(ResultOf.settleDisagreements, {
    type: "settleDisagreements",
    ...{ dataset, tagger, accept: plain(accept), keep: plain(keep) },
  });
}
