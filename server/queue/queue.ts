import { FailureError } from "../../protocol/errors.js";
import { hasEnded, type Job, type JobEvent, type JobStatus } from "../../protocol/job.js";
import type { HomePaths } from "../paths.js";
import type { Store } from "../store/store.js";
import type { GpuTurn, GpuUser } from "../trainer/gpu-turn.js";
import { runDirOf } from "../trainer/run.js";
import { appendEvent } from "../trainer/run-record.js";
import { runTraining, type Training } from "../trainer/run-training.js";
import { afterRestart, type JobCommand, reactionTo } from "./transitions.js";

/** One training at a time; the others wait in order. */
export type Queue = {
  enqueue(job: Job): void;
  /** Throws `not_found`, or `bad_request` when the job's status does not allow it. */
  command(id: string, command: JobCommand): void;
  /** Asks the running training of the job for something. Throws `not_found`, or `bad_request` when it does not run. */
  ask(id: string, what: JobAsk): void;
  /** Lets a job whose run has so many epochs now go on: at once, or as the last of those that wait. */
  extended(id: string, epochs: number): void;
  /** Adds an event from outside the training to the job: to its run's record, the store and whoever listens. */
  add(id: string, event: JobEvent): void;
  /** True while a training runs or waits. */
  busy(): boolean;
  /** Has the running training save its state and leave; it is the first to go on at the next start. */
  close(): Promise<void>;
};

export type JobAsk = "saveNow" | "sampleNow" | "stopAndSave";

/** How long a closing server waits for the state before it ends the trainer. */
const CLOSE_PATIENCE_MS = 120_000;

export type QueueRequest = {
  readonly store: Store;
  readonly paths: HomePaths;
  /** How a training shares the GPU; absent: it has it to itself. */
  readonly gpu?: (user: GpuUser) => GpuTurn;
  readonly onEvent: (job: string, event: JobEvent) => void;
};

/** Opens the queue over the store's jobs and starts the first one that waits. `onEvent` hears of each event after the store has it. */
export function openQueue({ store, paths, gpu, onEvent }: QueueRequest): Queue {
  let current: { id: string; training: Training } | null = null;
  let closing = false;
  // The running training was cut short by the closing, not by a wish of the user's.
  let suspended = false;

  function tell(id: string, event: JobEvent): void {
    try {
      store.append(id, event);
    } finally {
      onEvent(id, event);
    }
  }

  const tellStatus = (id: string, status: JobStatus) => tell(id, { type: "status", time: Date.now(), status });

  function tellOfTraining(id: string, event: JobEvent): void {
    const told = suspended ? whenSuspended(event) : event;
    if (told === null) return;
    if (told !== event) store.place(id, "first");
    tell(id, told);
  }

  function startNext(): void {
    const next = current === null && !closing ? store.queued()[0] : undefined;
    if (next === undefined) return;
    const { id } = next;
    const training = runTraining({ paths, runDir: runDirOf(paths, id), gpu, onEvent: (event) => tellOfTraining(id, event) });
    current = { id, training };
    const goOn = () => {
      current = null;
      startNext();
    };
    training.done.then(goOn, goOn);
  }

  recover(store, tellStatus);
  startNext();

  return {
    enqueue(job) {
      store.addJob(job);
      startNext();
    },
    command(id, command) {
      const job = known(store, id);
      const reaction = current?.id === id ? runningReaction(command, job.status) : reactionTo(command, job.status);
      if (reaction === "refuse") throw refusal(job, command);
      if (reaction === "ask") askTraining(current?.training, command);
      else if (reaction !== "nothing") {
        if (command === "resume") store.place(id, "last");
        tellStatus(id, reaction.status);
        startNext();
      }
    },
    ...runAsks(store, (id) => (current?.id === id ? current.training : null), tellStatus, startNext),
    add(id, event) {
      if (current?.id === id && current.training.add(event)) return;
      appendEvent(runDirOf(paths, id), event);
      tell(id, event);
    },
    busy: () => current !== null || store.queued().length > 0,
    async close() {
      closing = true;
      if (current === null) return;
      const status = store.job(current.id)?.status;
      suspended = status !== "pausing" && status !== "stopping";
      await leave(current.training);
    },
  };
}

function runAsks(
  store: Store,
  trainingOf: (id: string) => Training | null,
  tellStatus: (id: string, status: JobStatus) => void,
  startNext: () => void,
): Pick<Queue, "ask" | "extended"> {
  return {
    ask: (id, what) => askNow(known(store, id), trainingOf(id), what),
    extended(id, epochs) {
      const training = trainingOf(id);
      if (training?.ask("extend")) return;
      const goOn = () => {
        const job = known(store, id);
        if (job.epochs >= epochs || !(hasEnded(job) || job.status === "paused")) return;
        store.place(id, "last");
        tellStatus(id, "queued");
        startNext();
      };
      // A trainer that has just had its last word did not hear of it.
      if (training === null) goOn();
      else void training.done.then(goOn);
    },
  };
}

function askNow({ name, status }: Job, training: Training | null, what: JobAsk): void {
  const runs = training !== null && status === "running";
  if (runs && what === "stopAndSave") training.stopAndSave();
  else if (!(runs && what !== "stopAndSave" && training.ask(what)))
    throw new FailureError("bad_request", `"${name}" is ${status}, and only a running training can be asked for that.`);
}

function known(store: Store, id: string): Job {
  const job = store.job(id);
  if (job === undefined) throw new FailureError("not_found", `There is no job with the id "${id}".`);
  return job;
}

const PAST: Record<JobCommand, string> = { pause: "paused", resume: "resumed", stop: "stopped" };

function refusal({ name, status }: Job, command: JobCommand): FailureError {
  return new FailureError("bad_request", `"${name}" is ${status}, so it can't be ${PAST[command]} now.`);
}

// Between its choice and its first event a job still says that it is queued.
function runningReaction(command: JobCommand, status: JobStatus): ReturnType<typeof reactionTo> {
  return reactionTo(command, status === "queued" ? "preparing" : status);
}

function askTraining(training: Training | undefined, command: JobCommand): void {
  if (command === "pause") training?.pause();
  if (command === "stop") training?.stop();
}

async function leave(training: Training): Promise<void> {
  training.pause();
  const timer = setTimeout(() => training.kill(), CLOSE_PATIENCE_MS);
  await training.done.finally(() => clearTimeout(timer));
}

// A run that ends only because the server leaves, in good order or by force, goes on by itself at the next start.
function whenSuspended(event: JobEvent): JobEvent | null {
  if (event.type === "status" && event.status === "pausing") return null;
  const cut =
    event.type === "paused" ||
    (event.type === "status" && event.status === "paused") ||
    (event.type === "failed" && event.code === "crashed");
  return cut ? { type: "status", time: event.time, status: "queued" } : event;
}

function recover(store: Store, tellStatus: (id: string, status: JobStatus) => void): void {
  for (const { id, status } of store.jobs()) {
    const next = afterRestart(status);
    if (next === status) continue;
    if (next === "queued") store.place(id, "first");
    tellStatus(id, next);
  }
}
