import type { Dataset } from "../../protocol/dataset.js";
import type { Failure } from "../../protocol/errors.js";
import { applyEvent, type Job } from "../../protocol/job.js";
import type { ServerMessage, Snapshot } from "../../protocol/messages.js";
import type { Task } from "../../protocol/task.js";
import type { ConnectionStatus } from "./connection.js";
import { withoutTask, withTask } from "./tasks.js";

/** What the page knows of one data set's inside; a refresh keeps the old scan in sight. */
export type Scan = { state: "loading" } | { state: "ready"; dataset: Dataset; refreshing: boolean } | { state: "failed"; failure: Failure };

export type AppState = Readonly<{
  status: ConnectionStatus;
  /** When the next attempt to connect starts, in milliseconds since 1970. */
  retryAt: number | null;
  serverVersion: string;
  snapshot: Snapshot | null;
  scans: Readonly<Record<string, Scan>>;
}>;

export const emptyState: AppState = { status: "connecting", retryAt: null, serverVersion: "", snapshot: null, scans: {} };

/** The one fold of server messages into what the page shows; pure. */
export function receive(state: AppState, message: ServerMessage): AppState {
  switch (message.type) {
    case "hello":
      return { ...state, serverVersion: message.serverVersion };
    case "snapshot":
      return { ...state, snapshot: message.snapshot };
    case "jobAdded":
      return withJobs(state, (jobs) => [...jobs.filter((job) => job.id !== message.job.id), message.job]);
    case "jobEvent":
      return withJobs(state, (jobs) => jobs.map((job) => (job.id === message.job ? applyEvent(job, message.event) : job)));
    case "datasets":
      return state.snapshot ? { ...state, snapshot: { ...state.snapshot, datasets: message.datasets } } : state;
    case "loras":
      return state.snapshot ? { ...state, snapshot: { ...state.snapshot, loras: message.loras } } : state;
    case "host":
      return state.snapshot ? { ...state, snapshot: { ...state.snapshot, host: message.host } } : state;
    case "baseModels":
      return state.snapshot ? { ...state, snapshot: { ...state.snapshot, baseModels: message.baseModels } } : state;
    case "task":
      return withTasks(state, (tasks) => withTask(tasks, message.task));
    case "taskGone":
      return withTasks(state, (tasks) => withoutTask(tasks, message.task));
    case "result":
    case "failure":
      return state;
    default: {
      const unknownMessage: never = message;
      return unknownMessage;
    }
  }
}

/** A fresh connection also forgets the scans that failed, so that they are asked for again. */
export function withStatus(state: AppState, status: ConnectionStatus, retryAt: number | null): AppState {
  const scans =
    status === "connected" ? Object.fromEntries(Object.entries(state.scans).filter(([, scan]) => scan.state !== "failed")) : state.scans;
  return { ...state, status, retryAt, scans };
}

export type Store = {
  get: () => AppState;
  update: (change: (state: AppState) => AppState) => void;
  /** Calls `listener` after every change; the result ends it. */
  subscribe: (listener: () => void) => () => void;
};

export function createStore(initial: AppState = emptyState): Store {
  let state = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => state,
    update(change) {
      const next = change(state);
      if (next === state) return;
      state = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The jobs, newest first. */
export function jobsOf(state: AppState): Job[] {
  return [...(state.snapshot?.jobs ?? [])].sort((a, b) => b.createdAt - a.createdAt);
}

function withTasks(state: AppState, change: (tasks: Task[]) => Task[]): AppState {
  return state.snapshot ? { ...state, snapshot: { ...state.snapshot, tasks: change(state.snapshot.tasks) } } : state;
}

function withJobs(state: AppState, change: (jobs: Job[]) => Job[]): AppState {
  return state.snapshot ? { ...state, snapshot: { ...state.snapshot, jobs: change(state.snapshot.jobs) } } : state;
}
