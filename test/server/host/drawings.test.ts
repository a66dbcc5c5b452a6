import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { JobStatus } from "../../../protocol/job.js";
import { httpPaths, ResultOf } from "../../../protocol/messages.js";
import { GridSettings } from "../../../protocol/settings.js";
import type { ServerFile } from "../../../server/http/running-server.js";
import type { RunningServer } from "../../../server/start.js";
import { readEvents, runDirOf } from "../../../server/trainer/run.js";
import { makeTempHome, type TempHome } from "../temp-home.js";
import { importMoss, startTestServer } from "../test-server.js";
import { connectHost, drawCell, factsOf, type TestHost, usual } from "./test-host.js";
import { openPage, type TestPage } from "./test-page.js";

// Programs start slowly on a machine that is busy with something else.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let home: TempHome;
let running: RunningServer;
let server: ServerFile;
let page: TestPage;
let job: string;

const within = { timeout: 60_000 };
const grid = GridSettings.parse({ weights: [0.5, 1], prompts: ["moss, tree", "tree"], seeds: [1, 2] });

beforeAll(async () => {
  home = await makeTempHome();
  await start();
  await importMoss(page, home);
  job = await enqueue("ok-drawn", 8);
  await vi.waitUntil(() => page.job(job)?.status === "finished", within);
});
afterAll(async () => {
  await running?.close();
  await home.remove();
});

async function start(): Promise<void> {
  ({ running, server } = await startTestServer(home));
  page = await openPage(server);
}

async function enqueue(outputName: string, targetSteps: number): Promise<string> {
  const settings = { outputName, targetSteps, epochs: 2, batchSize: 1, grid };
  return (await page.request({ type: "enqueue", dataset: "moss", baseModel: "tiny", settings }, ResultOf.enqueue)).job;
}

const reaches = (id: string, status: JobStatus) => expect.poll(() => page.job(id)?.status, within).toBe(status);
const isDrawn = (id = job) =>
  expect.poll(() => page.job(id)?.webui, within).toSatisfy((webui) => webui !== null && webui !== undefined && webui.drawing === null);
const connectWebui = (more: Parameters<typeof connectHost>[1] = {}) =>
  connectHost(server, { facts: factsOf({ loraDir: home.loraDir }), ...more });
const draw = (message: { epochs?: number[]; settings?: object } = {}, id = job) =>
  page.request({ type: "drawInWebui", job: id, ...message }, ResultOf.drawInWebui);

async function withWebui(more: Parameters<typeof connectHost>[1], act: (host: TestHost) => Promise<void>): Promise<void> {
  const host = await connectWebui(more);
  await expect.poll(() => page.host()?.connected).toBe(true);
  await expect.poll(() => page.host()?.checkpoints.loaded).toBeTruthy();
  try {
    await act(host);
  } finally {
    await host.close();
    await expect.poll(() => page.host()?.connected).toBe(false);
  }
}

describe("Draw now", () => {
  test("draws the no-LoRA column once and all epochs × weights × prompts × seeds, with the plan's settings", () =>
    withWebui({}, async (host) => {
      expect(await draw({ epochs: [1] })).toEqual({ cells: 4 + 8 });
      await isDrawn();
      const [request] = host.of("renderCells");
      expect(request?.settings).toMatchObject({
        prompts: grid.prompts,
        sampler: "DDIM",
        scheduler: "Automatic",
        checkpoint: "pocket.safetensors [0123456789]",
        width: 512,
      });
      expect(request?.cells.filter(({ epoch }) => epoch === 0)).toHaveLength(4);
      expect(request?.cells.find(({ epoch }) => epoch === 0)).toMatchObject({ lora: null, weight: 0 });
      expect(request?.cells.find(({ epoch, weight }) => epoch === 1 && weight === 1)).toMatchObject({ lora: "ok-drawn-000001" });
      expect(page.job(job)?.webui).toMatchObject({ drawing: null, failure: null });
      expect(page.job(job)?.webui?.cells[0]?.infotext).toMatch(/^infotext of /);
    }));

  test("only the new cells are drawn afterwards, and the sheet of all goes to the WebUI's folder with a text that draws it again", () =>
    withWebui({}, async (host) => {
      expect(await draw()).toEqual({ cells: 8 });
      await isDrawn();
      expect(page.job(job)?.webui?.cells).toHaveLength(4 + 16);
      const sheet = page.job(job)?.webui?.sheet ?? "";
      const path = join(runDirOf(home, job), "webui", sheet);
      expect((await sharp(path).metadata()).width).toBeGreaterThan(512 * 6);
      expect(host.of("saveGrid")).toMatchObject([{ sheet: path, infotext: expect.stringContaining("moss, tree") as string }]);
      expect(host.of("pasteText").at(-1)).toMatchObject({ weights: [0.5, 1], loras: [{ epoch: 1 }, { epoch: 2 }] });
      expect(await draw()).toEqual({ cells: 0 });
    }));

  test("other settings are another grid, and going back to the earlier ones brings its pictures back undrawn", () =>
    withWebui({}, async (host) => {
      const before = page.job(job)?.webui?.cells ?? [];
      const bySteps = (steps: number, epochs: number[]) => draw({ settings: { steps }, epochs });
      expect(await bySteps(7, [1])).toEqual({ cells: 4 + 8 });
      await isDrawn();
      expect(page.job(job)?.webui?.cells).toHaveLength(12);
      const requests = host.of("renderCells").length;
      expect(await draw()).toEqual({ cells: 0 });
      await isDrawn();
      expect(new Set(page.job(job)?.webui?.cells.map(({ file }) => file))).toEqual(new Set(before.map(({ file }) => file)));
      expect(host.of("renderCells")).toHaveLength(requests);
    }));

  test("the pictures are served like the run's own grid, and nothing else of the run is", async () => {
    const headers = { authorization: `Bearer ${server.secret}` };
    const file = page.job(job)?.webui?.cells[0]?.file ?? "";
    const get = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`, { headers });
    expect((await get(httpPaths.webuiFile(job, file))).headers.get("content-type")).toBe("image/png");
    expect((await get(httpPaths.webuiFile(job, page.job(job)?.webui?.sheet ?? "", 64))).headers.get("content-type")).toBe("image/webp");
    expect((await get(httpPaths.webuiFile(job, "../plan.json"))).status).toBe(404);
  });

  test("what came after the run's end is the same in the store, in its record and after a restart", async () => {
    const before = page.job(job);
    expect((await readEvents(runDirOf(home, job))).filter(({ type }) => type === "webuiCell").length).toBeGreaterThanOrEqual(20);
    await running.close();
    await start();
    expect(page.snapshot.jobs.find(({ id }) => id === job)?.webui).toEqual(before?.webui);
  });

  test("other settings are another grid, a stop keeps what is drawn, and one drawing goes on at a time", () =>
    withWebui(
      {
        answering: {
          renderCells: async (request, host) => {
            await drawCell(host, request, request.cells[0]?.file ?? "");
            return new Promise(() => undefined);
          },
        },
      },
      async (host) => {
        await draw({ settings: { steps: 5, sampler: "Euler" } });
        await expect.poll(() => page.job(job)?.webui?.drawing?.done, within).toBe(1);
        await expect(draw({ settings: { steps: 7 } })).rejects.toMatchObject({ failure: { code: "webui_busy" } });
        await page.request({ type: "stopDrawing", job }, ResultOf.stopDrawing);
        await isDrawn();
        expect(page.job(job)?.webui).toMatchObject({ settings: { steps: 5, sampler: "Euler" }, failure: null, drawing: null });
        expect(page.job(job)?.webui?.cells).toHaveLength(1);
        expect(host.of("cancel")).toMatchObject([{ request: host.of("renderCells")[0]?.id }]);
        expect(host.of("saveGrid")).toEqual([]);
      },
    ));

  test("a refusal and a WebUI that goes are told as sentences, and drawn cells stay", async () => {
    await withWebui(
      {
        answering: {
          renderCells: async (request, host) => {
            await drawCell(host, request, request.cells[0]?.file ?? "");
            throw new Error("CUDA went away while drawing.");
          },
        },
      },
      async () => {
        await draw({ settings: { steps: 6 } });
        await isDrawn();
        expect(page.job(job)?.webui).toMatchObject({ failure: { code: "webui_failed", message: "CUDA went away while drawing." } });
        expect(page.job(job)?.webui?.cells).toHaveLength(1);
      },
    );
    const host = await connectWebui({ answering: { renderCells: () => new Promise(() => undefined) } });
    await expect.poll(() => page.host()?.connected).toBe(true);
    await draw({ settings: { steps: 9 } });
    await expect.poll(() => host.of("renderCells").length).toBe(1);
    await host.close();
    await isDrawn();
    expect(page.job(job)?.webui?.failure?.code).toBe("webui_missing");
  });

  test("a WebUI without its Lora extension and an epoch that is not saved are refused in words", async () => {
    const can = { ...factsOf().can, useLoras: false };
    await withWebui({ facts: factsOf({ can }) }, async () => {
      await expect(draw()).rejects.toMatchObject({
        failure: { code: "webui_failed", message: expect.stringContaining("Lora extension") as string },
      });
    });
    await withWebui({}, async () => {
      await expect(draw({ epochs: [7] })).rejects.toThrow(/Epoch 7 .* not saved/);
      await expect(draw({ settings: { steps: 0 } })).rejects.toThrow(/settings.steps/);
    });
  });
});

describe("while a run trains", () => {
  test("the trainer parks for a drawing, and goes on after it", () =>
    withWebui({ answering: { renderCells: (request, host) => lent().then(() => usual(host, request)) } }, async (host) => {
      const id = await enqueue("slow-draws", 400);
      await expect.poll(() => page.job(id)?.step ?? 0, within).toBeGreaterThan(2);
      await draw({ settings: { steps: 3 } });
      await isDrawn();
      await expect.poll(() => page.host()?.lease.state, within).toBe("held");
      expect(page.events(id).filter(({ type }) => type === "parked" || type === "unparked")).toHaveLength(2);
      await page.request({ type: "stopJob", job: id }, ResultOf.stopJob);
      await reaches(id, "stopped");
      await expect.poll(() => host.leases.size).toBe(0);
    }));

  test("after each epoch the new cells are drawn when the user wishes so", () =>
    withWebui({}, async (host) => {
      await page.request({ type: "setHostSettings", settings: { drawAfterEachEpoch: true } }, ResultOf.setHostSettings);
      const id = await enqueue("ok-each", 8);
      await reaches(id, "finished");
      await expect.poll(() => page.job(id)?.webui?.cells.length, within).toBe(4 + 16);
      await isDrawn(id);
      const epochs = host.of("renderCells").map(({ cells }) => [...new Set(cells.map(({ epoch }) => epoch))]);
      expect(epochs).toEqual([[0, 1], [2]]);
      expect(host.of("saveGrid")).toHaveLength(1);
      await page.request({ type: "setHostSettings", settings: { drawAfterEachEpoch: false } }, ResultOf.setHostSettings);
    }));

  const lent = () => expect.poll(() => page.host()?.lease.state, within).toBe("lent");
});

describe("Open in txt2img", () => {
  test("asks for the whole grid, one cell, or the cell without a LoRA as weight 0", () =>
    withWebui({}, async (host) => {
      const paste = (cell?: { epoch: number; weight: number; prompt: number; seed: number }) =>
        page.request({ type: "pasteText", job, grid: "own", ...(cell && { cell }) }, ResultOf.pasteText);
      expect((await paste()).text).toContain("moss, tree");
      await paste({ epoch: 1, weight: 0.5, prompt: 1, seed: 2 });
      await paste({ epoch: 0, weight: 0, prompt: 0, seed: 1 });
      expect(host.of("pasteText")).toMatchObject([
        {
          weights: [0.5, 1],
          seed: 1,
          loras: [
            { name: "ok-drawn-000001", epoch: 1 },
            { name: "ok-drawn", epoch: 2 },
          ],
        },
        { weights: [0.5], seed: 2, prompt: "tree", loras: [{ epoch: 1 }] },
        { weights: [0], loras: [{ epoch: 2 }] },
      ]);
      await expect(paste({ epoch: 1, weight: 1, prompt: 9, seed: 1 })).rejects.toThrow(/2 prompts/);
    }));
});

test("the LoRA that the verdict chose has a card with its weight and sentence, and a preview", async () => {
  const verdict = page.job(job)?.verdict ?? page.snapshot.jobs.find(({ id }) => id === job)?.verdict;
  const save = page.snapshot.jobs.find(({ id }) => id === job)?.saves.find(({ epoch }) => epoch === verdict?.epoch);
  const stem = join(home.loraDir, (save?.file ?? "").replace(".safetensors", ""));
  const card = JSON.parse(await readFile(`${stem}.json`, "utf8"));
  expect(card).toMatchObject({ "preferred weight": verdict?.weight, "sd version": "SD1" });
  expect(card.notes).toContain(verdict?.sentence);
  expect(existsSync(`${stem}.png`)).toBe(true);
});
