import type { AutotagRun } from "../../protocol/autotag.js";
import { FailureError } from "../../protocol/errors.js";
import { listFolder } from "../dataset/list-folder.js";
import type { TaskProgress } from "../tasks/tasks.js";
import type { FoundTagger } from "./find-taggers.js";
import { pictureHashes } from "./picture-hashes.js";
import { runTagger, type TaggerEvent } from "./run-tagger.js";
import { openScoreFile, readScoreFile, type ScoreWriter } from "./score-file.js";

export type ScoreRequest = {
  readonly root: string;
  readonly tagger: FoundTagger;
  readonly python: string;
  /** Ids of the scan; all when absent. */
  readonly images?: readonly string[] | undefined;
  /** `cpu` leaves the GPU to others. */
  readonly device?: "auto" | "cpu";
  readonly tell?: (progress: TaskProgress) => void;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Scores the pictures that this tagger has not seen as they are now, and keeps the scores in the data set's own folder. What a stop or
 * a crash cuts off is kept as far as it came. A GPU without room gives way to the CPU. Throws as `runTagger` does.
 */
export async function scoreDataset(request: ScoreRequest): Promise<AutotagRun> {
  const { root, tagger, tell = () => undefined, signal } = request;
  const wanted = request.images === undefined ? null : new Set(request.images);
  const { pictures } = await listFolder(root);
  const images = pictures.map(({ id }) => id).filter((id) => wanted?.has(id) ?? true);
  tell({ done: 0, total: images.length, message: tagger.name });
  const hashes = await pictureHashes(root, images, signal);
  const { scores } = await readScoreFile(root, tagger.id);
  const seen = new Set<string>();
  const isFresh = (id: string) => {
    const hash = hashes.get(id) ?? id;
    if (scores.has(hash) || seen.has(hash)) return false;
    return seen.add(hash) !== null;
  };
  const fresh = images.filter(isFresh);
  const result: AutotagRun = { scored: 0, known: images.length - fresh.length, unreadable: [], device: null };
  tell({ done: result.known });
  if (fresh.length > 0) await scoreAll({ request, left: new Set(fresh), result });
  return result;
}

type Running = {
  readonly request: ScoreRequest;
  /** Pictures that are still without scores. */
  readonly left: Set<string>;
  readonly result: AutotagRun;
};

async function scoreAll(run: Running): Promise<void> {
  const device = run.request.device ?? "auto";
  try {
    await scoreOn(device, run);
  } catch (error) {
    const isFull = error instanceof FailureError && error.failure.code === "out_of_memory";
    if (!isFull || device === "cpu" || run.result.device === "cpu") throw error;
    await scoreOn("cpu", run);
  }
}

async function scoreOn(device: "auto" | "cpu", { request, left, result }: Running): Promise<void> {
  const { root, tagger, python, tell = () => undefined, signal } = request;
  const { family, model, labels } = tagger;
  const before = result.known + result.scored + result.unreadable.length;
  let writer: ScoreWriter | null = null;
  const onEvent = async (event: TaggerEvent) => {
    if (event.type === "tagger") {
      result.device = event.device;
      tell({ message: event.said === "" ? tagger.name : `${tagger.name}: ${event.said}` });
      writer = await openScoreFile(root, tagger, event.labels);
    }
    if (event.type === "scored") {
      writer?.add(event.picture, event.scores);
      left.delete(event.image);
      result.scored += 1;
    }
    if (event.type === "unreadable") {
      left.delete(event.image);
      result.unreadable.push({ image: event.image, reason: event.reason });
    }
    if (event.type === "progress") tell({ done: before + event.done });
  };
  try {
    await runTagger({ python, request: { task: "score", model, labels, family, root, images: [...left], device }, onEvent, signal });
  } finally {
    closeWriter(writer);
  }
}

// Assigned inside a callback, which the compiler does not follow.
function closeWriter(writer: ScoreWriter | null): void {
  writer?.close();
}
