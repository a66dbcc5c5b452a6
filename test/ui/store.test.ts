import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fullAccess } from "../../protocol/host.js";
import { applyEvent, newJob } from "../../protocol/job.js";
import type { Snapshot } from "../../protocol/messages.js";
import { hidesFolders, mayChange } from "../../ui/data/access.js";
import { createStore, emptyState, jobsOf, receive, withStatus } from "../../ui/data/store.js";

const job = newJob({ id: "j", name: "j", dataset: "d", baseModel: "m", createdAt: 1, totalSteps: 4, epochs: 2 });
const snapshot: Snapshot = {
  home: "/h",
  loraDir: "/l",
  baseModels: [],
  datasets: [],
  jobs: [job],
  loras: [],
  host: null,
  access: fullAccess,
  tasks: [],
};
const filled = receive(emptyState, { type: "snapshot", snapshot });

describe("what the page knows", () => {
  it("is the snapshot and the same fold of events as the server's", () => {
    const event = { type: "saved" as const, time: 2, epoch: 1, step: 2, file: "j-000001.safetensors", bytes: 9, sshsModelHash: "ab" };
    expect(jobsOf(receive(filled, { type: "jobEvent", job: "j", event }))).toEqual([applyEvent(job, event)]);
  });

  it("ignores events before the snapshot and of unknown jobs", () => {
    const event = { type: "paused" as const, time: 2, step: 1 };
    expect(receive(emptyState, { type: "jobEvent", job: "j", event })).toBe(emptyState);
    expect(jobsOf(receive(filled, { type: "jobEvent", job: "other", event }))).toEqual([job]);
  });

  it("holds a job once even when it is announced after a snapshot that has it", () => {
    const added = receive(filled, { type: "jobAdded", job: { ...job, name: "again" } });
    expect(jobsOf(added).map((one) => one.name)).toEqual(["again"]);
  });

  it("follows the WebUI and its checkpoints", () => {
    const baseModels = [{ name: "b", path: "/b", kind: "sd1" as const, resolution: 512, bytes: 9 }];
    expect(receive(filled, { type: "baseModels", baseModels }).snapshot?.baseModels).toEqual(baseModels);
    expect(receive(filled, { type: "host", host: null })).toEqual(filled);
    expect(receive(emptyState, { type: "host", host: null })).toBe(emptyState);
  });

  it("says whether it may be changed and whether folders may be named", () => {
    expect([mayChange(filled), hidesFolders(filled)]).toEqual([true, false]);
    const access = { level: "restricted" as const, reason: "openToOthers" as const, hideFolders: true };
    const guest = receive(emptyState, { type: "snapshot", snapshot: { ...snapshot, access } });
    expect([mayChange(guest), hidesFolders(guest)]).toEqual([false, true]);
  });

  it("tells its listeners of changes only, until they leave", () => {
    const store = createStore();
    let calls = 0;
    const leave = store.subscribe(() => calls++);
    store.update((state) => state);
    store.update((state) => ({ ...state, serverVersion: "1" }));
    leave();
    store.update((state) => ({ ...state, serverVersion: "2" }));
    expect(calls).toBe(1);
  });

  it("has no Lit in it", () => {
    for (const file of [
      "store",
      "connection",
      "session",
      "shared-session",
      "rail",
      "route",
      "jobs",
      "datasets",
      "grids",
      "drawing",
      "news",
      "webui-state",
    ])
      expect(readFileSync(new URL(`../../ui/data/${file}.ts`, import.meta.url), "utf8")).not.toMatch(/from "lit/);
  });
});

describe("a connection that comes back", () => {
  it("forgets the scans that failed and keeps the others in sight", () => {
    const failed = { state: "failed" as const, failure: { code: "server_missing" as const, message: "lost" } };
    const state = { ...filled, scans: { a: failed, b: { state: "loading" as const } } };
    expect(withStatus(state, "lost", 5)).toEqual({ ...state, status: "lost", retryAt: 5 });
    expect(withStatus(state, "connected", null).scans).toEqual({ b: { state: "loading" } });
  });
});
