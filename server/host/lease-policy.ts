/**
 * Who has the GPU, as a pure state machine over one training: it takes the WebUI's queue before the trainer starts, lends it while
 * the trainer is parked, and gives it back on every way out.
 *
 *   off      trains without a lease: nobody wants one, or there is no WebUI
 *   asking   waits in the WebUI's queue; the trainer is not started yet, or parked
 *   held     trains under the lease
 *   parking  the trainer was asked to park
 *   lent     the WebUI has the GPU; the trainer is parked or not started yet
 *   over     the training has ended
 */
export type LeasePhase = "off" | "asking" | "held" | "parking" | "lent" | "over";

export type LeaseModel = {
  readonly phase: LeasePhase;
  /** The lease that is held, by the WebUI's name for it. */
  readonly lease: string | null;
  readonly trainerRuns: boolean;
  /** The WebUI's own tasks that wait. */
  readonly tasks: number;
  /** Cells are being drawn for us. */
  readonly drawing: boolean;
  /** A WebUI is there, can lease, and the user wants turns to be taken. */
  readonly wanted: boolean;
};

export type LeaseInput =
  | { type: "begin" | "epochEnded" | "lend" | "parked" | "refused" | "quiet" | "end" }
  | { type: "granted"; lease: string }
  | { type: "tasks"; tasks: number }
  | { type: "drawing"; on: boolean }
  /** `lost`: the connection went, and the lease with it. */
  | { type: "wanted"; wanted: boolean; lost: boolean };

/** `go`: the trainer may start. `waitForQuiet`: say `quiet` after a while without another `waitForQuiet`. */
export type LeaseAction =
  | { type: "ask" | "takeBackAsk" | "go" | "park" | "unpark" | "waitForQuiet" | "stopWaiting" }
  | { type: "release"; lease: string };

export type LeaseStep = { readonly model: LeaseModel; readonly actions: readonly LeaseAction[] };

export function newLease(facts: Pick<LeaseModel, "tasks" | "drawing" | "wanted">): LeaseModel {
  return { ...facts, phase: "off", lease: null, trainerRuns: false };
}

export function leaseStep(model: LeaseModel, input: LeaseInput): LeaseStep {
  if (model.phase === "over") return { model, actions: [] };
  switch (input.type) {
    case "begin":
      if (!model.wanted) return resume(model, "off");
      return model.drawing ? to(model, "lent") : to(model, "asking", { type: "ask" });
    case "granted":
      return model.phase === "asking" ? resume({ ...model, lease: input.lease }, "held") : same(model);
    case "refused":
      return model.phase === "asking" ? resume(model, "off") : same(model);
    case "tasks":
      return withTasks(model, input.tasks);
    case "epochEnded":
      return model.phase === "held" && model.tasks > 0 ? to(model, "parking", { type: "park" }) : same(model);
    case "lend":
      return model.phase === "held" ? to(model, "parking", { type: "park" }) : same(model);
    case "parked":
      return whenParked(model);
    case "quiet":
      return model.phase === "lent" && !model.drawing ? to(model, "asking", { type: "ask" }) : same(model);
    case "drawing":
      return withDrawing({ ...model, drawing: input.on });
    case "wanted":
      return withWish(input.lost ? { ...model, lease: null } : model, input.wanted);
    case "end":
      return { model: { ...model, phase: "over", lease: null }, actions: [...undo(model), ...releaseOf(model)] };
  }
}

function withTasks(model: LeaseModel, tasks: number): LeaseStep {
  const next = { ...model, tasks };
  if (model.phase !== "lent" || model.drawing) return same(next);
  // The queue has run dry: nobody has to be waited for any longer.
  if (tasks === 0 && model.tasks > 0) return to(next, "asking", { type: "stopWaiting" }, { type: "ask" });
  return tasks > 0 ? { model: next, actions: [{ type: "waitForQuiet" }] } : same(next);
}

function whenParked(model: LeaseModel): LeaseStep {
  if (model.phase !== "parking") return same(model);
  // Without a lease it parked for a WebUI that has come back: it may be drawing, so its turn is waited for.
  if (model.lease === null) return model.drawing ? to(model, "lent") : to(model, "asking", { type: "ask" });
  return to({ ...model, lease: null }, "lent", ...releaseOf(model), { type: "waitForQuiet" });
}

function withDrawing(model: LeaseModel): LeaseStep {
  if (model.drawing) {
    if (model.phase === "held") return to(model, "parking", { type: "park" });
    if (model.phase === "asking") return to(model, "lent", { type: "takeBackAsk" });
    return same(model);
  }
  return model.phase === "lent" ? to(model, "asking", { type: "stopWaiting" }, { type: "ask" }) : same(model);
}

function withWish(model: LeaseModel, wanted: boolean): LeaseStep {
  if (wanted === model.wanted) return same(model);
  const next = { ...model, wanted };
  if (wanted && model.phase === "off" && model.trainerRuns) return to(next, "parking", { type: "park" });
  if (wanted || model.phase === "off") return same(next);
  const before = [...undo(model), ...releaseOf(model)];
  const { model: off, actions } = model.phase === "held" ? to(next, "off") : resume(next, "off");
  return { model: { ...off, lease: null }, actions: [...before, ...actions] };
}

// Lets the trainer work: it starts, or comes back from where it was parked.
function resume(model: LeaseModel, phase: LeasePhase): LeaseStep {
  return to({ ...model, trainerRuns: true }, phase, { type: model.trainerRuns ? "unpark" : "go" });
}

function undo(model: LeaseModel): LeaseAction[] {
  if (model.phase === "asking") return [{ type: "takeBackAsk" }];
  return model.phase === "lent" ? [{ type: "stopWaiting" }] : [];
}

function releaseOf({ lease }: LeaseModel): LeaseAction[] {
  return lease === null ? [] : [{ type: "release", lease }];
}

function same(model: LeaseModel): LeaseStep {
  return { model, actions: [] };
}

function to(model: LeaseModel, phase: LeasePhase, ...actions: LeaseAction[]): LeaseStep {
  return { model: { ...model, phase }, actions };
}
