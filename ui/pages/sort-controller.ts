import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Dataset } from "../../protocol/dataset.js";
import { type Failure, toFailure } from "../../protocol/errors.js";
import { applyMoves, type Grade, type PictureMove, type PicturesMoved } from "../../protocol/sorting.js";
import { loadScan, putDataset, undoDataset } from "../data/datasets.js";
import type { Session } from "../data/session.js";
import { foreseeMoves, gradeTargets, moveImages, rejectImages } from "../data/sorting.js";
import type { AppState } from "../data/store.js";

type Host = ReactiveControllerHost & { session: Session; state: AppState; datasetName: string };

/** A step that was shown at once: the data set before and after it, and its edit when the server has done it. */
type Step = { before: Dataset; after: Dataset; rejected: number; edit: Promise<string | null> };

/** Older steps are undone by the server alone, which takes a scan. */
const STEPS_KEPT = 100;
const REFRESH_AFTER_MS = 2500;

/** Sorting by keys: the page shows each step at once, the server follows in order. What it can't do is taken back by a scan. */
export class SortController implements ReactiveController {
  /** Pictures that went to the trash since the page was opened. */
  rejected = 0;
  failure: Failure | null = null;
  /** Steps that the server has not done yet. */
  waiting = 0;
  readonly #host: Host;
  /** Where pictures really went when the server had to give them another name than foreseen. */
  readonly #renamed = new Map<string, string>();
  #steps: Step[] = [];
  #tail: Promise<unknown> = Promise.resolve();
  #refresh: ReturnType<typeof setTimeout> | undefined;
  #dataset = "";

  constructor(host: Host) {
    this.#host = host;
    host.addController(this);
  }

  hostUpdate(): void {
    if (this.#dataset === this.#host.datasetName) return;
    this.#dataset = this.#host.datasetName;
    this.#steps = [];
    this.rejected = 0;
    this.failure = null;
  }

  hostDisconnected(): void {
    clearTimeout(this.#refresh);
  }

  /** Gives pictures a grade. Returns the moves, in which the page finds their new ids. */
  grade(images: readonly string[], grade: Grade): PictureMove[] {
    const dataset = this.#ready();
    if (dataset === null) return [];
    return [...gradeTargets(dataset, images, grade)].flatMap(([subset, ids]) => this.move(ids, subset));
  }

  move(images: readonly string[], subset: string): PictureMove[] {
    const dataset = this.#ready();
    if (dataset === null) return [];
    const moves = foreseeMoves(dataset, images, subset);
    const { session, datasetName } = this.#host;
    this.#do(dataset, moves, () =>
      moveImages(
        session,
        datasetName,
        moves.map(({ from }) => this.#nameOf(from)),
        subset,
      ),
    );
    return moves;
  }

  reject(images: readonly string[]): PictureMove[] {
    const dataset = this.#ready();
    if (dataset === null) return [];
    const moves = images.map((from) => ({ from, to: null }));
    const { session, datasetName } = this.#host;
    this.#do(dataset, moves, () =>
      rejectImages(
        session,
        datasetName,
        moves.map(({ from }) => this.#nameOf(from)),
      ),
    );
    return moves;
  }

  /** Takes the last step back; false when there is none that the page remembers, or something else has changed the data set since. */
  undo(): boolean {
    const step = this.#steps.at(-1);
    if (step === undefined || this.#ready() !== step.after) {
      this.#steps = [];
      return false;
    }
    this.#steps.pop();
    this.rejected -= step.rejected;
    const { session, datasetName } = this.#host;
    putDataset(session, datasetName, step.before);
    void this.#send(async () => {
      const editId = await step.edit;
      if (editId !== null) await undoDataset(session, datasetName, editId);
    });
    return true;
  }

  /** Resolves when the server has done everything. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  #ready(): Dataset | null {
    const scan = this.#host.session.store.get().scans[this.#host.datasetName];
    return scan?.state === "ready" ? scan.dataset : null;
  }

  #nameOf(id: string): string {
    return this.#renamed.get(id) ?? id;
  }

  #do(before: Dataset, moves: readonly PictureMove[], ask: () => Promise<PicturesMoved>): void {
    if (moves.length === 0) return;
    const { session, datasetName } = this.#host;
    const after = applyMoves(before, moves);
    const rejected = moves.filter(({ to }) => to === null).length;
    putDataset(session, datasetName, after);
    this.rejected += rejected;
    this.failure = null;
    const edit = this.#send(async () => {
      const { editId, moves: done } = await ask();
      this.#noteNames(moves, done);
      return editId;
    });
    this.#steps = [...this.#steps, { before, after, rejected, edit: edit.then((id) => id ?? null) }].slice(-STEPS_KEPT);
  }

  #noteNames(foreseen: readonly PictureMove[], done: readonly PictureMove[]): void {
    const different = foreseen.flatMap(({ to }, i) => {
      const real = done[i]?.to ?? null;
      return to === null || real === null || real === to ? [] : [{ from: to, to: real }];
    });
    if (different.length === 0) return;
    for (const { from, to } of different) this.#renamed.set(from, to);
    const dataset = this.#ready();
    if (dataset !== null) putDataset(this.#host.session, this.#host.datasetName, applyMoves(dataset, different));
  }

  /** After all that was asked before. The first failure is shown, what the page foresaw is forgotten, and a scan tells how things are. */
  async #send<T>(work: () => Promise<T>): Promise<T | undefined> {
    clearTimeout(this.#refresh);
    this.waiting += 1;
    const mine = this.#tail.then(work);
    this.#tail = mine.catch(() => undefined);
    this.#host.requestUpdate();
    try {
      return await mine;
    } catch (thrown) {
      this.failure = toFailure(thrown);
      this.#steps = [];
      return undefined;
    } finally {
      this.waiting -= 1;
      this.#host.requestUpdate();
      if (this.waiting === 0) this.#refreshLater(this.failure === null ? REFRESH_AFTER_MS : 0);
    }
  }

  // What a scan finds out about the set as a whole (messages, near-duplicates) is not foreseen.
  #refreshLater(milliseconds: number): void {
    const { session, datasetName } = this.#host;
    this.#refresh = setTimeout(() => void loadScan(session, datasetName), milliseconds);
  }
}
