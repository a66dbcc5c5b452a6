import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { JobStatus } from "../../../protocol/job.js";
import { ResultOf } from "../../../protocol/messages.js";
import type { ServerFile } from "../../../server/http/running-server.js";
import type { RunningServer } from "../../../server/start.js";
import { makeTempHome, type TempHome } from "../temp-home.js";
import { importMoss, startTestServer } from "../test-server.js";
import { connectHost, factsOf, type TestHost } from "./test-host.js";
import { openPage, type TestPage } from "./test-page.js";

// Programs start slowly on a machine that is busy with something else.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let home: TempHome;
let running: RunningServer;
let server: ServerFile;
let page: TestPage;

beforeEach(async () => {
  home = await makeTempHome();
  await start();
  await importMoss(page, home);
});
afterEach(async () => {
  await running?.close();
  await home.remove();
});

async function start(): Promise<void> {
  ({ running, server } = await startTestServer(home));
  page = await openPage(server);
}

const facts = () => factsOf({ loraDir: home.loraDir });
const connectWebui = (more: Parameters<typeof connectHost>[1] = {}) => connectHost(server, { facts: facts(), ...more });
const within = { timeout: 60_000 };

async function enqueue(outputName: string, targetSteps = 400): Promise<string> {
  const settings = { outputName, targetSteps, epochs: 2, batchSize: 1 };
  return (await page.request({ type: "enqueue", dataset: "moss", baseModel: "tiny", settings }, ResultOf.enqueue)).job;
}

const reaches = (job: string, status: JobStatus) => expect.poll(() => page.job(job)?.status, within).toBe(status);
const steps = (job: string) => expect.poll(() => page.job(job)?.step ?? 0, within).toBeGreaterThan(2);
const leaseIs = (state: string) => expect.poll(() => page.host()?.lease.state, within).toBe(state);
const free = (host: TestHost) => expect.poll(() => host.leases.size, within).toBe(0);

describe("a training takes its turn", () => {
  test("no trainer starts before the lease is there, and its stage says what it waits for", async () => {
    let grant: (value: unknown) => void = () => undefined;
    const host = await connectWebui({ answering: { leaseGpu: () => new Promise((resolve) => (grant = resolve)) } });
    const job = await enqueue("ok-turn", 8);
    await leaseIs("waiting");
    expect(page.job(job)).toMatchObject({ status: "preparing", stage: { name: "waitingForGpu" } });
    expect(host.of("leaseGpu")).toMatchObject([{ job, jobName: "ok-turn" }]);
    grant({ lease: "one", freedMb: 3000 });
    await reaches(job, "finished");
    expect(host.of("releaseGpu")).toMatchObject([{ lease: "one" }]);
    await leaseIs("none");
  });

  test("with pictures waiting it parks at the epoch's end and goes on when they are drawn", async () => {
    const host = await connectWebui();
    const job = await enqueue("slow-epoch", 100);
    await steps(job);
    host.send({ type: "waiting", tasks: 2 });
    await expect.poll(() => page.job(job)?.parked, within).toBe(true);
    expect(page.job(job)).toMatchObject({ epoch: 1, stage: { name: "waitingForGpu" } });
    await leaseIs("lent");
    expect(host.leases.size).toBe(0);
    host.send({ type: "waiting", tasks: 0 });
    await expect.poll(() => page.job(job)?.parked, within).toBe(false);
    await leaseIs("held");
    await reaches(job, "finished");
    expect(host.granted.length).toBe(2);
    await free(host);
  });

  test("Generate now parks after the current step, and training comes back by itself after three quiet seconds", async () => {
    const host = await connectWebui();
    const job = await enqueue("slow-lend");
    await steps(job);
    await page.request({ type: "lendGpu", job }, ResultOf.lendGpu);
    await leaseIs("lent");
    const lentAt = Date.now();
    await leaseIs("held");
    expect(Date.now() - lentAt).toBeGreaterThan(2500);
    await page.request({ type: "stopJob", job }, ResultOf.stopJob);
    await reaches(job, "stopped");
    await free(host);
  });

  test("a refused lease is a warning, and the run is trained all the same", async () => {
    const host = await connectWebui({
      answering: {
        leaseGpu: () => {
          throw new Error("The model could not be unloaded.");
        },
      },
    });
    const job = await enqueue("ok-refused", 8);
    await reaches(job, "finished");
    expect(page.job(job)?.warnings.join()).toContain("could not be unloaded");
    await host.close();
  });

  test.each(["share", "leaveAlone"] as const)("with the policy %s nothing is leased", async (gpuPolicy) => {
    const host = await connectWebui();
    await page.request({ type: "setHostSettings", settings: { gpuPolicy } }, ResultOf.setHostSettings);
    const job = await enqueue("ok-shared", 8);
    await reaches(job, "finished");
    expect(host.of("leaseGpu")).toEqual([]);
  });
});

describe("the GPU goes back", () => {
  test("when a run is paused or stopped while it waits for its turn", async () => {
    const host = await connectWebui({ answering: { leaseGpu: () => new Promise(() => undefined) } });
    const job = await enqueue("slow-waits");
    await leaseIs("waiting");
    await page.request({ type: "pauseJob", job }, ResultOf.pauseJob);
    await reaches(job, "paused");
    await page.request({ type: "resumeJob", job }, ResultOf.resumeJob);
    await leaseIs("waiting");
    await page.request({ type: "stopJob", job }, ResultOf.stopJob);
    await reaches(job, "stopped");
    const [first, second] = host.of("leaseGpu");
    await expect.poll(() => host.of("cancel").map(({ request }) => request)).toEqual([first?.id, second?.id]);
  });

  test("when the grant crosses the pause", async () => {
    let grant: (value: unknown) => void = () => undefined;
    const host = await connectWebui({ answering: { leaseGpu: () => new Promise((resolve) => (grant = resolve)) } });
    const job = await enqueue("slow-crosses");
    await leaseIs("waiting");
    await page.request({ type: "pauseJob", job }, ResultOf.pauseJob);
    grant({ lease: "late", freedMb: 0 });
    await expect.poll(() => host.of("releaseGpu").map(({ lease }) => lease), within).toEqual(["late"]);
  });

  test("when the run is paused while it is parked", async () => {
    const host = await connectWebui();
    const job = await enqueue("slow-parked");
    await steps(job);
    await page.request({ type: "lendGpu", job }, ResultOf.lendGpu);
    await leaseIs("lent");
    await page.request({ type: "pauseJob", job }, ResultOf.pauseJob);
    await reaches(job, "paused");
    expect(page.job(job)?.parked).toBe(false);
    await leaseIs("none");
    await free(host);
  });

  test.each([
    ["fails", "failing-lease"],
    ["crashes", "crash-lease"],
  ])("when the trainer %s", async (_, name) => {
    const host = await connectWebui();
    const job = await enqueue(name, 8);
    await reaches(job, "failed");
    expect(host.granted.length).toBe(1);
    await free(host);
  });

  test("when the trainer is killed", async () => {
    const host = await connectWebui();
    const job = await enqueue("slow-killed");
    await steps(job);
    const started = page.events(job).find((event) => event.type === "started");
    if (started?.type !== "started") throw new Error("it has not started");
    process.kill(started.pid, "SIGKILL");
    await reaches(job, "failed");
    await free(host);
  });

  test("when the server leaves", async () => {
    const host = await connectWebui();
    const job = await enqueue("slow-leaves");
    await steps(job);
    await running.close();
    expect(host.leases.size).toBe(0);
    await start();
  });
});

test("a WebUI that goes lets training go on; when it is back the trainer parks before it has its lease anew", async () => {
  const first = await connectWebui();
  const job = await enqueue("slow-lost", 1000);
  await steps(job);
  await first.close();
  await leaseIs("none");
  const step = page.job(job)?.step ?? 0;
  await expect.poll(() => page.job(job)?.step ?? 0, within).toBeGreaterThan(step + 2);
  const second = await connectWebui();
  await leaseIs("held");
  const order = page.events(job).flatMap((event) => (event.type === "parked" || event.type === "unparked" ? [event.type] : []));
  expect(order).toEqual(["parked", "unparked"]);
  await page.request({ type: "stopJob", job }, ResultOf.stopJob);
  await reaches(job, "stopped");
  await free(second);
});
