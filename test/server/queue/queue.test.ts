import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { JobEvent, JobStatus } from "../../../protocol/job.js";
import { openQueue, type Queue } from "../../../server/queue/queue.js";
import { openStore, type Store } from "../../../server/store/store.js";
import { extendRun } from "../../../server/trainer/extend-run.js";
import { jobOfRun, newRun } from "../../../server/trainer/run.js";
import { planOf } from "../plan-of.js";
import { makeTempHome, type TempHome } from "../temp-home.js";

// Programs start slowly on a machine that is busy with something else.
vi.setConfig({ testTimeout: 120_000 });

let home: TempHome;
let store: Store;
let queue: Queue;
let told: { job: string; event: JobEvent }[];

beforeEach(async () => {
  home = await makeTempHome();
  open();
});
afterEach(async () => {
  await queue.close();
  store.close();
  await home.remove();
});

function open(): void {
  told = [];
  store = openStore(home.database);
  queue = openQueue({ store, paths: home, onEvent: (job, event) => told.push({ job, event }) });
}

async function enqueue(name: string, size: { stepsPerEpoch?: number } = {}): Promise<string> {
  const plan = planOf(name, size);
  const { run } = await newRun({ paths: home, plan, loraDir: home.loraDir });
  queue.enqueue(jobOfRun(run, plan));
  return run.id;
}

const reaches = (id: string, status: JobStatus) => expect.poll(() => store.job(id)?.status, { timeout: 60_000 }).toBe(status);
const steps = (id: string) => expect.poll(() => store.job(id)?.step ?? 0, { timeout: 60_000 }).toBeGreaterThan(0);

test("jobs are trained one after the other in their order", async () => {
  const ids = [await enqueue("ok-a"), await enqueue("ok-b"), await enqueue("ok-c")];
  for (const id of ids) await reaches(id, "finished");
  const order = told.flatMap(({ job, event }) =>
    event.type === "started" || event.type === "finished" ? [`${event.type} ${ids.indexOf(job)}`] : [],
  );
  expect(order).toEqual(["started 0", "finished 0", "started 1", "finished 1", "started 2", "finished 2"]);
});

test("the same plan twice gives two runs, and no file of the first is overwritten", async () => {
  const [first, second] = [await enqueue("ok-same"), await enqueue("ok-same")];
  await reaches(second, "finished");
  expect(store.job(first)?.saves.map(({ file }) => file)).toEqual(["ok-same-000001.safetensors", "ok-same.safetensors"]);
  expect(store.job(second)?.saves.map(({ file }) => file)).toEqual(["ok-same-2-000001.safetensors", "ok-same-2.safetensors"]);
});

test("a paused job lets others run and goes on when it is resumed", async () => {
  const first = await enqueue("slow-a", { stepsPerEpoch: 20 });
  const second = await enqueue("ok-b");
  await steps(first);
  queue.command(first, "pause");
  expect(store.job(first)?.status).toBe("pausing");
  await reaches(first, "paused");
  await reaches(second, "finished");
  queue.command(first, "resume");
  await reaches(first, "finished");
  expect(
    told.filter(({ job, event }) => job === first && event.type === "started").map(({ event }) => "step" in event && event.step > 0),
  ).toEqual([false, true]);
});

test("a running job is stopped with its state saved, a waiting one at once", async () => {
  const first = await enqueue("slow-a", { stepsPerEpoch: 50 });
  const second = await enqueue("slow-b");
  await steps(first);
  queue.command(second, "stop");
  expect(store.job(second)?.status).toBe("stopped");
  queue.command(first, "stop");
  expect(store.job(first)?.status).toBe("stopping");
  await reaches(first, "stopped");
  expect(told.some(({ job, event }) => job === first && event.type === "stateSaved")).toBe(true);
  expect(queue.busy()).toBe(false);
});

test("a stop overtakes a pause", async () => {
  const id = await enqueue("slow-a", { stepsPerEpoch: 50 });
  await steps(id);
  queue.command(id, "pause");
  queue.command(id, "stop");
  await reaches(id, "stopped");
});

test("a job that failed does not hold up the next, and can be resumed", async () => {
  const [first, second] = [await enqueue("crash-a"), await enqueue("ok-b")];
  await reaches(second, "finished");
  expect(store.job(first)).toMatchObject({ status: "failed", failure: { code: "crashed" } });
  queue.command(first, "resume");
  await expect.poll(() => told.filter(({ job, event }) => job === first && event.type === "started").length, { timeout: 60_000 }).toBe(2);
  await reaches(first, "failed");
});

test("what a job's status does not allow is refused in words", async () => {
  const id = await enqueue("ok-a");
  await reaches(id, "finished");
  for (const command of ["pause", "resume", "stop"] as const) expect(() => queue.command(id, command)).toThrow(/"ok-a" is finished/);
  expect(() => queue.command("none", "pause")).toThrow(/no job/);
});

test("a closed queue goes on where it was, the running job first", async () => {
  const first = await enqueue("slow-a", { stepsPerEpoch: 30 });
  const second = await enqueue("slow-b");
  await steps(first);
  await queue.close();
  expect(store.job(first)?.status).toBe("queued");
  expect(store.queued().map(({ id }) => id)).toEqual([first, second]);
  const before = store.jobs();
  store.close();
  open();
  expect(store.jobs().map(({ step, losses }) => ({ step, losses }))).toEqual(before.map(({ step, losses }) => ({ step, losses })));
  await reaches(second, "finished");
  expect(told.find(({ event }) => event.type === "started")).toMatchObject({
    job: first,
    event: { step: expect.toSatisfy((step) => step > 0) },
  });
});

test("a job that the user was pausing stays paused over a close", async () => {
  const id = await enqueue("slow-a", { stepsPerEpoch: 30 });
  await steps(id);
  queue.command(id, "pause");
  await queue.close();
  expect(store.job(id)?.status).toBe("paused");
});

test("a failure keeps its code when the queue is closed in the same moment", async () => {
  const id = await enqueue("failing-nan");
  await reaches(id, "failed");
  await queue.close();
  expect(store.job(id)?.failure?.code).toBe("nan_loss");
});

test("a running job answers what it is asked for, and others say that they can't", async () => {
  const id = await enqueue("slow-a", { stepsPerEpoch: 50 });
  const waiting = await enqueue("ok-b");
  await steps(id);
  queue.ask(id, "saveNow");
  queue.ask(id, "sampleNow");
  await expect.poll(() => store.job(id)?.samples.length, { timeout: 60_000 }).toBe(1);
  expect(store.job(id)?.extraSaves.map(({ file }) => file)).toEqual([expect.stringMatching(/^slow-a-step\d+\.safetensors$/)]);
  expect(() => queue.ask(waiting, "saveNow")).toThrow(/"ok-b" is queued/);
  expect(() => queue.ask("nobody", "saveNow")).toThrow(/no job/);
  queue.ask(id, "stopAndSave");
  await reaches(id, "stopped");
  expect(store.job(id)?.extraSaves.length).toBe(2);
});

test("a job is extended while it runs and after it has finished", async () => {
  const id = await enqueue("slow-a", { stepsPerEpoch: 20 });
  await steps(id);
  const runDir = join(home.runsDir, id);
  const planned = store.job(id)?.epochs ?? 0;
  queue.extended(id, await extendRun(runDir, 1));
  await reaches(id, "finished");
  expect(store.job(id)).toMatchObject({ epochs: planned + 1, step: 20 * (planned + 1) });
  queue.extended(id, await extendRun(runDir, 2));
  await expect.poll(() => store.job(id)?.epochs, { timeout: 60_000 }).toBe(planned + 3);
  await reaches(id, "finished");
  const files = store.job(id)?.saves.map(({ file }) => file);
  expect(files?.slice(-3)).toEqual(["slow-a.safetensors", "slow-a-000004.safetensors", "slow-a-000005.safetensors"]);
});
