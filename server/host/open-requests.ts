import type { WebSocket } from "ws";
import { FailureError } from "../../protocol/errors.js";
import { type HostRequestType, HostResultOf } from "../../protocol/host.js";

export type DrawnCell = { readonly file: string; readonly infotext: string };
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** The requests of one connection that have no answer yet. */
export type OpenRequests = {
  /** Sends the request; settles with its answer, whatever that is, or rejects by its time limit, `signal` or `settle`. */
  ask(type: HostRequestType, fields: object, options: AskOptions): Promise<unknown>;
  settle(id: number, outcome: Outcome): void;
  settleAll(outcome: Outcome): void;
  cellDrawn(id: number, cell: DrawnCell): void;
};

export type AskOptions = { readonly signal: AbortSignal | undefined; readonly onCell: (cell: DrawnCell) => void };

/** Milliseconds until a request counts as lost; null: it may take as long as it takes, the heart-beat watches the connection. */
const LIMITS: Record<HostRequestType, number | null> = {
  listCheckpoints: 30_000,
  refreshLoras: 60_000,
  leaseGpu: null,
  releaseGpu: 60_000,
  renderCells: null,
  saveGrid: 60_000,
  pasteText: 20_000,
  setRuns: 20_000,
  cancel: 20_000,
};

type Entry = { readonly settle: (outcome: Outcome) => void; readonly onCell: (cell: DrawnCell) => void };

export function openRequests(socket: WebSocket): OpenRequests {
  const entries = new Map<number, Entry>();
  let lastId = 0;

  function send(type: HostRequestType, fields: object, entry: Entry): number {
    lastId += 1;
    entries.set(lastId, entry);
    socket.send(JSON.stringify({ id: lastId, type, ...fields }));
    return lastId;
  }

  function settle(id: number, outcome: Outcome): void {
    const entry = entries.get(id);
    entries.delete(id);
    entry?.settle(outcome);
  }

  // Nobody waits for the answer of these two.
  function tell(type: "cancel" | "releaseGpu", fields: object): void {
    if (socket.readyState === socket.OPEN) send(type, fields, { settle: () => undefined, onCell: () => undefined });
  }

  function ask(type: HostRequestType, fields: object, { signal, onCell }: AskOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const finish = (outcome: Outcome) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        if ("error" in outcome) reject(outcome.error);
        else resolve(outcome.value);
      };
      const id = send(type, fields, { settle: finish, onCell });
      const limit = LIMITS[type];
      const timer = limit === null ? undefined : setTimeout(() => settle(id, { error: tooLong(type, limit) }), limit);
      const abort = () => {
        entries.set(id, { onCell: () => undefined, settle: (late) => giveBack(type, late) });
        tell("cancel", { request: id });
        finish({ error: signal?.reason });
      };
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  // A lease may be granted in the very moment in which nobody wants it any more.
  function giveBack(type: HostRequestType, late: Outcome): void {
    if (type !== "leaseGpu" || !("value" in late)) return;
    const granted = HostResultOf.leaseGpu.safeParse(late.value);
    if (granted.success) tell("releaseGpu", { lease: granted.data.lease });
  }

  return {
    ask,
    settle,
    settleAll(outcome) {
      for (const id of [...entries.keys()]) settle(id, outcome);
    },
    cellDrawn: (id, cell) => entries.get(id)?.onCell(cell),
  };
}

function tooLong(type: HostRequestType, limit: number): FailureError {
  return new FailureError(
    "webui_failed",
    `The WebUI has not answered "${type}" within ${limit / 1000} seconds; look at its console and try again.`,
  );
}
