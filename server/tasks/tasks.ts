import { randomBytes } from "node:crypto";
import { FailureError } from "../../protocol/errors.js";
import type { Task, TaskKind } from "../../protocol/task.js";
import { failureOf } from "../trainer/failure-of.js";

/** What a task's work says of how far it is; what is left out stays as it was. */
export type TaskProgress = { readonly done?: number; readonly total?: number; readonly message?: string };

/** `signal` is aborted by Stop and by the server's end; work that has heard it ends soon, by a throw or not. */
export type TaskWork<Result> = (tell: (progress: TaskProgress) => void, signal: AbortSignal) => Promise<Result>;

/** `ended` rejects with what the work threw; nobody has to wait for it. */
export type StartedTask<Result> = { readonly id: string; readonly ended: Promise<Result> };

export type Tasks = {
  /** Starts work and returns at once. `dataset` is the name of the data set that it is for. */
  run<Result>(kind: TaskKind, dataset: string | null, work: TaskWork<Result>): StartedTask<Result>;
  /** Asks a running task to end. Throws `not_found`. */
  stop(id: string): void;
  /** Forgets a task that has ended. Throws `not_found`, or `bad_request` for one that runs. */
  dismiss(id: string): void;
  /** Running ones and the last that ended, oldest first. */
  all(): Task[];
  busy(): boolean;
  /** Stops everything and waits for it. */
  close(): Promise<void>;
};

export type TaskNews = { onTask(task: Task): void; onGone(id: string): void };

/** How often the pages hear of one task's progress at most. */
const TELL_INTERVAL_MS = 200;
const KEPT_ENDED = 10;

type Entry = { task: Task; readonly stopper: AbortController; settled: Promise<unknown>; toldAt: number; timer: NodeJS.Timeout | null };

/** The long work of one server. */
export function openTasks(news: TaskNews): Tasks {
  const entries = new Map<string, Entry>();

  const { publish, publishSoon } = publisher(news);
  function entryOf(id: string): Entry {
    const entry = entries.get(id);
    if (entry === undefined) throw new FailureError("not_found", `There is no task with the id "${id}"; it may have been dismissed.`);
    return entry;
  }

  function forget(id: string): void {
    entries.delete(id);
    news.onGone(id);
  }

  function end(entry: Entry, change: Partial<Task>): void {
    entry.task = { ...entry.task, ...change, endedAt: Date.now() };
    publish(entry);
    const ended = [...entries.values()].filter(({ task }) => task.state !== "running");
    for (const { task } of ended.slice(0, -KEPT_ENDED)) forget(task.id);
  }

  return {
    run(kind, dataset, work) {
      const entry = newEntry(kind, dataset);
      entries.set(entry.task.id, entry);
      const tell = (progress: TaskProgress) => {
        if (entry.task.state !== "running") return;
        entry.task = { ...entry.task, ...progress };
        publishSoon(entry);
      };
      publish(entry);
      const { signal } = entry.stopper;
      const ended = work(tell, signal).then(
        (result) => {
          end(entry, { state: signal.aborted ? "stopped" : "done" });
          return result;
        },
        (error: unknown) => {
          end(entry, signal.aborted ? { state: "stopped" } : { state: "failed", failure: failureOf(error) });
          throw error;
        },
      );
      // The task itself carries the failure; a caller that wants it as well waits for `ended`.
      entry.settled = ended.catch(() => undefined);
      return { id: entry.task.id, ended };
    },
    stop: (id) => entryOf(id).stopper.abort(),
    dismiss(id) {
      if (entryOf(id).task.state === "running") throw new FailureError("bad_request", "This task is still running; stop it first.");
      forget(id);
    },
    all: () => [...entries.values()].map(({ task }) => task),
    busy: () => [...entries.values()].some(({ task }) => task.state === "running"),
    async close() {
      for (const { stopper } of entries.values()) stopper.abort();
      await Promise.all([...entries.values()].map(({ settled }) => settled));
    },
  };
}

function publisher(news: TaskNews) {
  function publish(entry: Entry): void {
    if (entry.timer !== null) clearTimeout(entry.timer);
    entry.timer = null;
    entry.toldAt = Date.now();
    news.onTask(entry.task);
  }

  function publishSoon(entry: Entry): void {
    if (entry.timer !== null) return;
    const wait = entry.toldAt + TELL_INTERVAL_MS - Date.now();
    if (wait <= 0) publish(entry);
    else entry.timer = setTimeout(() => publish(entry), wait);
  }

  return { publish, publishSoon };
}

function newEntry(kind: TaskKind, dataset: string | null): Entry {
  const id = randomBytes(6).toString("hex");
  const task: Task = { id, kind, dataset, done: 0, total: 0, state: "running", message: "", startedAt: Date.now(), endedAt: null };
  return { task, stopper: new AbortController(), settled: Promise.resolve(), toldAt: 0, timer: null };
}
