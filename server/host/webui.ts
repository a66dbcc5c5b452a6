import { FailureError } from "../../protocol/errors.js";
import type { HostCheckpoints, HostFacts, HostSettings, HostState, LeaseState } from "../../protocol/host.js";
import type { Store } from "../store/store.js";
import { type HostDoor, openHostDoor } from "./host-door.js";
import type { HostLink } from "./host-link.js";
import { type HostSettingsChange, openHostSettings } from "./host-settings.js";

/** What happens to the WebUI, for whoever acts on it; `tasks` are the WebUI's own that wait behind a lease. */
export type WebuiEvent = { type: "connected" | "lost" | "settings" | "checkpoints" } | { type: "tasks"; tasks: number };

/** The WebUI that this server belongs to, there or not. */
export type Webui = Pick<HostDoor, "link" | "accept"> & {
  /** What the pages know of it; null until one has come. */
  state(): HostState | null;
  /** Throws `webui_missing` with the reason when none is connected. */
  demand(): HostLink;
  settings(): HostSettings;
  setSettings(change: HostSettingsChange): HostSettings;
  setLease(lease: LeaseState): void;
  listen(listener: (event: WebuiEvent) => void): void;
  close(): void;
};

const NO_CHECKPOINTS: HostCheckpoints = { checkpoints: [], loaded: null, vaes: [] };

export function openWebui({ store, onState }: { store: Store; onState: (state: HostState | null) => void }): Webui {
  const listeners: ((event: WebuiEvent) => void)[] = [];
  const settings = openHostSettings(store);
  let facts: HostFacts | null = null;
  let checkpoints = NO_CHECKPOINTS;
  let lease: LeaseState = { state: "none", job: null, tasksWaiting: 0 };
  const door = openHostDoor({
    onConnected(link, found) {
      if (facts?.pid !== found.pid) checkpoints = NO_CHECKPOINTS;
      facts = found;
      tell({ type: "connected" });
      link.request("listCheckpoints", {}).then(setCheckpoints, () => undefined);
    },
    onLost: () => tell({ type: "lost" }),
    onNews: (news) => (news.type === "checkpoints" ? setCheckpoints(news.checkpoints) : tell({ type: "tasks", tasks: news.tasks })),
  });

  const state = (): HostState | null => facts && { connected: door.link() !== null, facts, checkpoints, settings: settings.now(), lease };

  function tell(event: WebuiEvent): void {
    for (const listener of listeners) listener(event);
    onState(state());
  }

  function setCheckpoints(found: HostCheckpoints): void {
    checkpoints = found;
    tell({ type: "checkpoints" });
  }

  return {
    ...door,
    state,
    demand: () => door.link() ?? missing(facts),
    settings: settings.now,
    setSettings(change) {
      const changed = settings.change(change);
      tell({ type: "settings" });
      return changed;
    },
    setLease(next) {
      lease = next;
      onState(state());
    },
    listen: (listener) => void listeners.push(listener),
    close: () => door.link()?.close(1001, "the server leaves"),
  };
}

function missing(facts: HostFacts | null): never {
  throw new FailureError(
    "webui_missing",
    facts === null
      ? "This needs a WebUI, but none is connected to this server; open the Train LoRA tab inside the WebUI."
      : "The WebUI is not connected just now; it may be restarting. Try again as soon as it is back.",
  );
}
