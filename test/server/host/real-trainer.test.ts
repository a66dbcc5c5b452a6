import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { ResultOf } from "../../../protocol/messages.js";
import { GridSettings } from "../../../protocol/settings.js";
import { readServerFile } from "../../../server/http/running-server.js";
import { homePaths } from "../../../server/paths.js";
import { startServer } from "../../../server/start.js";
import { writePictures } from "../temp-home.js";
import { connectHost, factsOf } from "./test-host.js";
import { openPage } from "./test-page.js";

// The trainer that `npm test` has brought up.
const python = process.env.TRAIN_LORA_TEST_PYTHON;

vi.setConfig({ testTimeout: 240_000 });
afterAll(() => vi.unstubAllEnvs());

test.skipIf(python === undefined)("the real trainer takes its turn, parks on request and goes on to its end", async () => {
  vi.stubEnv("TRAIN_LORA_VENV", dirname(dirname(python ?? "")));
  vi.stubEnv("OMP_NUM_THREADS", "1");
  const paths = homePaths(await mkdtemp(join(tmpdir(), "train-lora-real-")));
  const running = await startServer({ home: paths.home });
  const server = await readServerFile(paths);
  if (server === null) throw new Error("the server wrote no file");
  const page = await openPage(server);
  const host = await connectHost(server, { facts: factsOf({ loraDir: paths.loraDir }) });
  await page.request(
    { type: "importDataset", source: await writePictures(join(paths.home, "pictures")), name: "moss" },
    ResultOf.importDataset,
  );
  const settings = {
    outputName: "moss",
    targetSteps: 24,
    epochs: 1,
    batchSize: 1,
    networkDim: 4,
    grid: GridSettings.parse({ enabled: false }),
  };
  const { job } = await page.request({ type: "enqueue", dataset: "moss", baseModel: "pocket", settings }, ResultOf.enqueue);
  const within = { timeout: 200_000 };
  await expect.poll(() => page.job(job)?.step ?? 0, within).toBeGreaterThan(1);
  await page.request({ type: "lendGpu", job }, ResultOf.lendGpu);
  await expect.poll(() => page.host()?.lease.state, within).toBe("lent");
  expect(page.job(job)?.parked).toBe(true);
  expect(host.leases.size).toBe(0);
  await expect.poll(() => page.job(job)?.status, within).toBe("finished");
  expect(page.events(job).filter(({ type }) => type === "parked" || type === "unparked")).toHaveLength(2);
  expect([host.granted.length, host.leases.size]).toEqual([2, 0]);
  await Promise.all([page.close(), host.close()]);
  await running.close();
  await rm(paths.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});
