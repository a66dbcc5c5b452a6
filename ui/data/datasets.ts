import type { Dataset, DatasetImage, FixReport, ImportReport, ProblemCode } from "../../protocol/dataset.js";
import { toFailure } from "../../protocol/errors.js";
import { httpPaths, ResultOf } from "../../protocol/messages.js";
import type { PictureOperation } from "../../protocol/picture-edit.js";
import type { Session } from "./session.js";
import type { Scan } from "./store.js";

export function importDataset(session: Session, source: string, name: string): Promise<ImportReport> {
  return session.connection.request(ResultOf.importDataset, { type: "importDataset", source, name });
}

export type FixScope = { only?: ProblemCode[]; images?: string[] };

export function fixDataset(session: Session, dataset: string, scope: FixScope, dryRun: boolean): Promise<FixReport> {
  return session.connection.request(ResultOf.fixDataset, { type: "fixDataset", dataset, ...scope, dryRun });
}

/** The newest edit, or the named one. */
export function undoDataset(session: Session, dataset: string, editId?: string): Promise<{ undone: string | null }> {
  return session.connection.request(ResultOf.undoDataset, { type: "undoDataset", dataset, ...(editId === undefined ? {} : { editId }) });
}

export async function setTriggerWord(session: Session, dataset: string, triggerWord: string): Promise<void> {
  await session.connection.request(ResultOf.setTriggerWord, { type: "setTriggerWord", dataset, triggerWord });
}

export function setCaption(session: Session, dataset: string, image: string, caption: string): Promise<{ editId: string }> {
  return session.connection.request(ResultOf.setCaption, { type: "setCaption", dataset, image, caption });
}

export async function editPicture(session: Session, dataset: string, image: string, operations: PictureOperation[]): Promise<void> {
  await session.connection.request(ResultOf.editPicture, { type: "editPicture", dataset, image, operations });
}

export function rejectImage(session: Session, dataset: string, image: string): Promise<{ editId: string }> {
  return session.connection.request(ResultOf.rejectImage, { type: "rejectImage", dataset, image });
}

/** Scans a data set and puts the result into the store; a scan that is there stays in sight meanwhile. What was changed here while it ran is believed more. */
export async function loadScan(session: Session, dataset: string): Promise<void> {
  const known = session.store.get().scans[dataset];
  if (known?.state === "loading") return;
  const before = known?.state === "ready" ? known.dataset : null;
  putScan(session, dataset, before ? { state: "ready", dataset: before, refreshing: true } : { state: "loading" });
  try {
    const scanned: Dataset = await session.connection.request(ResultOf.scanDataset, { type: "scanDataset", dataset });
    const now = session.store.get().scans[dataset];
    const isStale = before !== null && now?.state === "ready" && now.dataset !== before;
    putScan(session, dataset, { state: "ready", dataset: isStale ? now.dataset : scanned, refreshing: false });
  } catch (thrown) {
    putScan(session, dataset, { state: "failed", failure: toFailure(thrown) });
  }
}

/** Puts into the store what the page knows a data set to be now. */
export function putDataset(session: Session, name: string, dataset: Dataset): void {
  putScan(session, name, { state: "ready", dataset, refreshing: false });
}

/** Address of a picture; with `size` a thumbnail with that longest side. It changes when the file does, so that no old picture is shown. */
export function imageUrl(session: Session, dataset: string, image: DatasetImage, size?: number): string {
  const path = httpPaths.image(dataset, image.id, size);
  return `${session.base}${path}${path.includes("?") ? "&" : "?"}v=${image.bytes}-${image.modifiedAt ?? image.phash ?? ""}`;
}

function putScan(session: Session, dataset: string, scan: Scan): void {
  session.store.update((state) => ({ ...state, scans: { ...state.scans, [dataset]: scan } }));
}
