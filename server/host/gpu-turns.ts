import { setTimeout as sleep } from "node:timers/promises";
import { FailureError } from "../../protocol/errors.js";
import type { LeaseState } from "../../protocol/host.js";
import { failureOf } from "../trainer/failure-of.js";
import type { GpuTurn, GpuUser } from "../trainer/gpu-turn.js";
import { type LeaseAction, type LeaseInput, type LeaseModel, type LeasePhase, leaseStep, newLease } from "./lease-policy.js";
import type { Webui } from "./webui.js";

/** Training and the WebUI take turns with the GPU. */
export type GpuTurns = {
  /** The turn of a training that is about to begin; there is one at a time. */
  turn(user: GpuUser): GpuTurn;
  /** Lets the WebUI have the GPU once; throws a Failure when this job does not hold it. */
  lend(job: string): void;
  /** Runs a drawing of the WebUI with the trainer parked meanwhile. */
  whileDrawing<Result>(draw: () => Promise<Result>): Promise<Result>;
};

/** So long nothing is asked of the WebUI's queue before training wants it back. */
const QUIET_MS = 3000;
const RELEASE_PATIENCE_MS = 10_000;

export function openGpuTurns(webui: Webui, { quietMs = QUIET_MS }: { quietMs?: number } = {}): GpuTurns {
  let current: { job: string; input: (input: LeaseInput) => void; phase: () => LeasePhase } | null = null;
  let tasks = 0;
  let drawings = 0;

  const wanted = () => webui.settings().gpuPolicy === "takeTurns" && webui.state()?.facts.can.leaseGpu === true && webui.link() !== null;

  webui.listen((event) => {
    if (event.type === "tasks") tasks = event.tasks;
    if (event.type === "lost") tasks = 0;
    current?.input(event.type === "tasks" ? event : { type: "wanted", wanted: wanted(), lost: event.type === "lost" });
  });

  function turn(user: GpuUser): GpuTurn {
    const edge = openTurn(user, { webui, quietMs, model: newLease({ tasks, drawing: drawings > 0, wanted: wanted() }) });
    current = { job: user.job, input: edge.input, phase: edge.phase };
    return {
      begin: edge.begin,
      hear(event) {
        if (event.type === "saved") edge.input({ type: "epochEnded" });
        if (event.type === "parked") edge.input({ type: "parked" });
      },
      async end() {
        edge.input({ type: "end" });
        current = null;
        await Promise.race([edge.released(), sleep(RELEASE_PATIENCE_MS, undefined, { ref: false })]);
      },
    };
  }

  return {
    turn,
    lend(job) {
      webui.demand();
      const phase = current?.job === job ? current.phase() : "off";
      if (phase === "parking" || phase === "lent") return;
      if (phase !== "held")
        throw new FailureError(
          "bad_request",
          "This run does not hold the GPU just now, so there is nothing to lend; generate in the WebUI as usual.",
        );
      current?.input({ type: "lend" });
    },
    async whileDrawing(draw) {
      drawings += 1;
      current?.input({ type: "drawing", on: true });
      try {
        return await draw();
      } finally {
        drawings -= 1;
        if (drawings === 0) current?.input({ type: "drawing", on: false });
      }
    },
  };
}

type Edge = {
  begin(signal: AbortSignal): Promise<void>;
  input(input: LeaseInput): void;
  phase(): LeasePhase;
  /** Settles when the WebUI has confirmed what was given back. */
  released(): Promise<unknown>;
};

// The thin edge: keeps the model and does what its steps say.
function openTurn(user: GpuUser, { webui, quietMs, model: first }: { webui: Webui; quietMs: number; model: LeaseModel }): Edge {
  let model = first;
  let go: () => void = () => undefined;
  let asked = new AbortController();
  let quiet: NodeJS.Timeout | undefined;
  let released: Promise<unknown> = Promise.resolve();

  function input(next: LeaseInput): void {
    // Another training may have its turn by now.
    if (model.phase === "over") return;
    const before = model;
    const step = leaseStep(model, next);
    model = step.model;
    for (const action of step.actions) perform(action);
    sayWaiting(user, before, model);
    webui.setLease(leaseState(model, user.job));
  }

  function perform(action: LeaseAction): void {
    if (action.type === "ask") void ask();
    else if (action.type === "takeBackAsk") asked.abort(new Error("not wanted any more"));
    else if (action.type === "go") go();
    else if (action.type === "park" || action.type === "unpark") user.command(action.type);
    else if (action.type === "release") release(action.lease);
    else clearTimeout(quiet);
    if (action.type === "waitForQuiet") quiet = setTimeout(() => input({ type: "quiet" }), quietMs);
  }

  async function ask(): Promise<void> {
    asked = new AbortController();
    const { signal } = asked;
    try {
      const { lease } = await webui.demand().request("leaseGpu", { job: user.job, jobName: user.name }, { signal });
      input({ type: "granted", lease });
    } catch (error) {
      if (signal.aborted) return;
      if (model.phase === "asking") user.tell(warning(`Training goes on without the GPU to itself: ${failureOf(error).message}`));
      input({ type: "refused" });
    }
  }

  function release(lease: string): void {
    // The WebUI that is gone has taken its GPU back by itself.
    released =
      webui
        .link()
        ?.request("releaseGpu", { lease })
        .catch(() => undefined) ?? Promise.resolve();
  }

  return {
    input,
    phase: () => model.phase,
    released: () => released,
    begin: (signal) =>
      new Promise((resolve, reject) => {
        const leave = () => reject(signal.reason);
        signal.throwIfAborted();
        signal.addEventListener("abort", leave, { once: true });
        go = () => {
          signal.removeEventListener("abort", leave);
          resolve();
        };
        input({ type: "begin" });
      }),
  };
}

function sayWaiting(user: GpuUser, before: LeaseModel, after: LeaseModel): void {
  const waits = ({ phase }: LeaseModel) => phase === "asking" || phase === "lent";
  if (waits(before) === waits(after) || after.phase === "over") return;
  user.tell({ type: "stage", time: Date.now(), stage: "waitingForGpu", done: waits(after) ? 0 : 1, total: 1 });
}

function leaseState({ phase, lease, tasks }: LeaseModel, job: string): LeaseState {
  if (phase === "off" || phase === "over") return { state: "none", job: null, tasksWaiting: tasks };
  if (phase === "lent") return { state: "lent", job, tasksWaiting: tasks };
  return { state: lease === null ? "waiting" : "held", job, tasksWaiting: tasks };
}

function warning(message: string) {
  return { type: "warning" as const, time: Date.now(), message };
}
