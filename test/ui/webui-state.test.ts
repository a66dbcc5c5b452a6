import { describe, expect, it } from "vitest";
import { defaultHostSettings, type HostState, type LeaseState } from "../../protocol/host.js";
import { flavourName, gpuState, loadedCheckpoint, readinessFor } from "../../ui/data/webui-state.js";

const host: HostState = {
  connected: true,
  facts: {
    flavour: "reforge",
    version: "f1",
    gradioVersion: "3.41.2",
    pythonVersion: "3.10",
    pid: 1,
    dataDir: "/w",
    loraDir: "/w/l",
    checkpointDirs: [],
    flags: [],
    samplers: [],
    schedulers: [],
    can: { useLoras: true, xyzAxes: true, pasteText: false, leaseGpu: true, renderCells: true },
  },
  checkpoints: {
    checkpoints: [{ name: "pocket", title: "pocket.safetensors [ab]", path: "/p", shortHash: "ab", sha256: null }],
    loaded: "pocket.safetensors [ab]",
    vaes: [],
  },
  settings: defaultHostSettings,
  lease: { state: "none", job: null, tasksWaiting: 0 },
};
const away = { ...host, connected: false };
const leased = (lease: Partial<LeaseState>): HostState => ({ ...host, lease: { ...host.lease, ...lease } });

describe("what the page knows of the WebUI", () => {
  it("tells none, lost, unable and ready apart", () => {
    expect([null, away, host].map((one) => readinessFor(one, "renderCells"))).toEqual(["absent", "lost", "ready"]);
    expect(readinessFor(host, "pasteText")).toBe("unable");
  });

  it("says who has the GPU only while somebody waits for it or has it from us", () => {
    expect(gpuState(null)).toEqual({ kind: "free" });
    expect(gpuState(host)).toEqual({ kind: "free" });
    expect(gpuState(leased({ state: "held", job: "j", tasksWaiting: 2 }))).toEqual({ kind: "held", job: "j", tasks: 2 });
    expect(gpuState(leased({ state: "waiting", job: "j" }))).toEqual({ kind: "waiting" });
    expect(gpuState(leased({ state: "lent", job: "j" }))).toEqual({ kind: "lent" });
    expect(gpuState({ ...leased({ state: "held", job: "j" }), connected: false })).toEqual({ kind: "free" });
  });

  it("names the loaded checkpoint as base models are named, as long as the WebUI is there", () => {
    expect(loadedCheckpoint(host)).toBe("pocket");
    expect(loadedCheckpoint({ ...host, checkpoints: { ...host.checkpoints, loaded: "other.ckpt" } })).toBe("other.ckpt");
    expect(loadedCheckpoint({ ...host, checkpoints: { ...host.checkpoints, loaded: null } })).toBeNull();
    expect(loadedCheckpoint(away)).toBeNull();
  });

  it("spells the flavours as their makers do", () => {
    expect(flavourName(host.facts)).toBe("reForge");
    expect(flavourName({ ...host.facts, flavour: "unknown" })).toBeNull();
  });
});
