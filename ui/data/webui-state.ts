import type { HostFacts, HostState } from "../../protocol/host.js";

/**
 * Whether the WebUI can be asked for something now. absent: there is none, so nobody is told of it. lost: it is away for the moment.
 * unable: this WebUI can't do it at all.
 */
export type Readiness = "absent" | "lost" | "unable" | "ready";

export function readinessFor(host: HostState | null, ability: keyof HostFacts["can"]): Readiness {
  if (host === null) return "absent";
  if (!host.connected) return "lost";
  return host.facts.can[ability] ? "ready" : "unable";
}

/** Who has the GPU, as far as anybody else wants it. */
export type GpuState =
  | { kind: "free" }
  /** Training waits for its turn in the WebUI's queue. */
  | { kind: "waiting" }
  /** Training has it; `tasks` pictures of the WebUI's wait. `job` is the one to ask for it. */
  | { kind: "held"; job: string; tasks: number }
  /** Training is parked while the WebUI draws. */
  | { kind: "lent" };

export function gpuState(host: HostState | null): GpuState {
  const lease = host?.lease;
  if (!lease || !host.connected || lease.state === "none") return { kind: "free" };
  if (lease.state !== "held") return { kind: lease.state };
  return lease.job === null ? { kind: "free" } : { kind: "held", job: lease.job, tasks: lease.tasksWaiting };
}

/** The file name of the checkpoint that the WebUI has loaded; null when it has none, or is away. */
export function loadedCheckpoint(host: HostState | null): string | null {
  if (!host?.connected || host.checkpoints.loaded === null) return null;
  const { checkpoints, loaded } = host.checkpoints;
  return checkpoints.find((checkpoint) => checkpoint.title === loaded)?.name ?? loaded;
}

/** The flavour's own spelling; null where we do not know it. */
export function flavourName(facts: HostFacts): string | null {
  return { a1111: "AUTOMATIC1111", forge: "Forge", reforge: "reForge", forgeClassic: "Forge Classic", unknown: null }[facts.flavour];
}
