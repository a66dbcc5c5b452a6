import type { Dataset, DatasetImage, FixReport, ImportReport, ProblemCode } from "../../protocol/dataset.js";
import { toFailure } from "../../protocol/errors.js";
import { httpPaths, ResultOf } from "../../protocol/messages.js";
import type { Session } from "./session.js";
import type { Scan } from "./store.js";

export function importDataset(session: Session, source: string, name: string): Promise<ImportReport> {
  return session.connection.request(ResultOf.importDataset, { type: "importDataset", source, name });
}

export type FixScope = { only?: ProblemCode[]; images?: string[] };

export function fixDataset(session: Session, dataset: string, scope: FixScope, dryRun: boolean): Promise<FixReport> {
  return session.connection.request(ResultOf.fixDataset, { type: "fixDataset", dataset, ...scope, dryRun });
}

export function undoDataset(session: Session, dataset: string): Promise<{ undone: string | null }> {
  return session.connection.request(ResultOf.undoDataset, { type: "undoDataset", dataset });
}

export async function setTriggerWord(session: Session, dataset: string, triggerWord: string): Promise<void> {
  await session.connection.request(ResultOf.setTriggerWord, { type: "setTriggerWord", dataset, triggerWord });
}

export function setCaption(session: Session, dataset: string, image: string, caption: string): Promise<{ editId: string }> {
  return session.connection.request(ResultOf.setCaption, { type: "setCaption", dataset, image, caption });
}

export function rejectImage(session: Session, dataset: string, image: string): Promise<{ editId: string }> {
  return session.connection.request(ResultOf.rejectImage, { type: "rejectImage", dataset, image });
}

/** Scans a data set and puts the result into the store; a scan that is there stays in sight meanwhile. */
export async function loadScan(session: Session, dataset: string): Promise<void> {
  const known = session.store.get().scans[dataset];
  if (known?.state === "loading") return;
  putScan(session, dataset, known?.state === "ready" ? { ...known, refreshing: true } : { state: "loading" });
  try {
    const scanned: Dataset = await session.connection.request(ResultOf.scanDataset, { type: "scanDataset", dataset });
    putScan(session, dataset, { state: "ready", dataset: scanned, refreshing: false });
  } catch (thrown) {
    putScan(session, dataset, { state: "failed", failure: toFailure(thrown) });
  }
}

/** Address of a picture; with `size` a thumbnail with that longest side. It changes when the file does, so that no old picture is shown. */
export function imageUrl(session: Session, dataset: string, image: DatasetImage, size?: number): string {
  const path = httpPaths.image(dataset, image.id, size);
  return `${session.base}${path}${path.includes("?") ? "&" : "?"}v=${image.bytes}-${image.phash ?? ""}`;
}

function putScan(session: Session, dataset: string, scan: Scan): void {
  session.store.update((state) => ({ ...state, scans: { ...state.scans, [dataset]: scan } }));
}
