import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { ResultOf } from "../../../protocol/messages.js";
import { HOST_CLOSE } from "../../../server/host/host-door.js";
import { newAddress, readServerFile, type ServerFile } from "../../../server/http/running-server.js";
import { type RunningServer, startServer } from "../../../server/start.js";
import { safetensors, sd1Tensors } from "../library/write-files.js";
import { makeTempHome, type TempHome } from "../temp-home.js";
import { importMoss, startTestServer } from "../test-server.js";
import { checkpointsOf, connectHost, factsOf, type TestHost } from "./test-host.js";
import { openPage, type TestPage } from "./test-page.js";

let home: TempHome;
let running: RunningServer;
let server: ServerFile;
let page: TestPage;

beforeAll(async () => {
  home = await makeTempHome();
  ({ running, server } = await startTestServer(home));
  page = await openPage(server);
  await importMoss(page, home);
});
afterAll(async () => {
  await running?.close();
  await home.remove();
});

const closed = async ({ socket }: TestHost): Promise<[number, string]> => {
  const [code, reason]: unknown[] = await once(socket, "close");
  return [Number(code), String(reason)];
};

async function statusOf(headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/host`, { headers });
  socket.on("error", () => undefined);
  const [, response] = await once(socket, "unexpected-response");
  socket.terminate();
  return response.statusCode;
}

describe("who may be the WebUI", () => {
  test("only the secret opens the door, never a page's cookie", async () => {
    const code = new URL(await newAddress(server)).hash.replace("#code=", "");
    const response = await fetch(`http://127.0.0.1:${server.port}/api/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ code }),
    });
    const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect(await statusOf({})).toBe(401);
    expect(await statusOf({ cookie })).toBe(401);
    expect(await statusOf({ authorization: "Bearer wrong" })).toBe(401);
  });

  test("a shim of another version is told so", async () => {
    const host = await connectHost(server, { version: 99 });
    expect(await closed(host)).toEqual([HOST_CLOSE.otherVersion, expect.stringContaining("this WebUI 99") as string]);
  });

  test("a second WebUI is refused while the first one lives, and a new socket of the first one replaces the old", async () => {
    const first = await connectHost(server, { facts: factsOf({ pid: process.pid }) });
    await expect.poll(() => page.host()?.connected).toBe(true);
    const second = await connectHost(server, { facts: factsOf({ pid: process.ppid }) });
    const [code, reason] = await closed(second);
    expect([code, reason]).toEqual([HOST_CLOSE.otherWebui, expect.stringContaining(String(process.pid))]);
    const again = await connectHost(server);
    expect((await closed(first))[0]).toBe(HOST_CLOSE.replaced);
    await expect.poll(() => page.host()?.connected).toBe(true);
    await again.close();
    await expect.poll(() => page.host()?.connected).toBe(false);
  });

  test("a WebUI whose process is dead gives way at once", async () => {
    const dead = await connectHost(server, { facts: factsOf({ pid: 2 ** 22 - 3 }) });
    const living = await connectHost(server);
    expect((await closed(dead))[0]).toBe(HOST_CLOSE.replaced);
    await living.close();
  });

  test("what is no message of the contract disturbs nothing", async () => {
    const host = await connectHost(server);
    host.socket.send("{");
    host.socket.send('{"type":"answer"}');
    await expect.poll(() => page.host()?.connected).toBe(true);
    await host.close();
  });
});

describe("what the pages learn", () => {
  test("nothing before a WebUI has come, then its facts, its checkpoints and that it is gone", async () => {
    expect(page.snapshot).toMatchObject({ host: null, access: { level: "full" } });
    const host = await connectHost(server, { answering: { listCheckpoints: () => checkpointsOf({ loaded: "one [abc]" }) } });
    await expect.poll(() => page.host()?.checkpoints.loaded).toBe("one [abc]");
    host.send({ type: "checkpoints", checkpoints: checkpointsOf({ loaded: "two [def]" }) });
    await expect.poll(() => page.host()?.checkpoints.loaded).toBe("two [def]");
    await host.close();
    await expect.poll(() => page.host()?.connected).toBe(false);
    const second = await openPage(server);
    expect(second.snapshot.host).toMatchObject({ connected: false, checkpoints: { loaded: "two [def]" } });
    await second.close();
  });

  test("the WebUI's checkpoints can be trained upon, each file once, and new runs go to its LoRA folder", async () => {
    const models = join(home.home, "webui-models");
    const loraDir = join(home.home, "webui-loras");
    await mkdir(models, { recursive: true });
    await writeFile(join(models, "webuis.safetensors"), safetensors(sd1Tensors));
    const host = await connectHost(server, { facts: factsOf({ loraDir, checkpointDirs: [models, models, home.checkpointsDir] }) });
    await expect
      .poll(() => page.messages.findLast((message) => message.type === "baseModels")?.baseModels.map(({ name }) => name))
      .toEqual(["pocket", "tiny", "webuis"]);
    const settings = { outputName: "ok-webui", targetSteps: 6, epochs: 2, batchSize: 2 };
    const { job } = await page.request({ type: "enqueue", dataset: "moss", baseModel: "webuis", settings }, ResultOf.enqueue);
    await expect.poll(() => page.job(job)?.status, { timeout: 60_000 }).toBe("finished");
    expect(page.messages.findLast((message) => message.type === "loras")?.loras.map(({ file }) => file)).toContain("ok-webui.safetensors");
    expect(host.of("refreshLoras").map(({ names }) => names)).toEqual([["ok-webui-000001"], ["ok-webui"]]);
    await expect.poll(() => host.of("setRuns").at(-1)?.runs.at(-1)?.saves.length).toBe(2);
    expect(host.of("setRuns").at(-1)?.runs.at(-1)).toMatchObject({ job, name: "ok-webui" });
    await host.close();
  });

  test("settings are kept for the next WebUI and the next server", async () => {
    const settings = await page.request({ type: "setHostSettings", settings: { drawAfterEachEpoch: true } }, ResultOf.setHostSettings);
    expect(settings).toEqual({ gpuPolicy: "takeTurns", drawAfterEachEpoch: true });
    const host = await connectHost(server);
    await expect.poll(() => page.host()?.settings.drawAfterEachEpoch).toBe(true);
    await page.request({ type: "setHostSettings", settings: { drawAfterEachEpoch: false } }, ResultOf.setHostSettings);
    await host.close();
  });

  test("what needs a WebUI says that there is none", async () => {
    const job = page.messages.findLast((message) => message.type === "jobAdded")?.job.id ?? "";
    const refused = { failure: { code: "webui_missing" } };
    await expect(page.request({ type: "drawInWebui", job }, ResultOf.drawInWebui)).rejects.toMatchObject(refused);
    await expect(page.request({ type: "pasteText", job }, ResultOf.pasteText)).rejects.toMatchObject(refused);
    await expect(page.request({ type: "lendGpu", job }, ResultOf.lendGpu)).rejects.toMatchObject(refused);
  });
});

test("a WebUI that is there keeps the server from leaving for want of work", async () => {
  const other = await makeTempHome();
  const idle = await startServer({ home: other.home, idleExitMinutes: 1 / 60 });
  const file = await readServerFile(other);
  if (file === null) throw new Error("the server wrote no file");
  const host = await connectHost(file);
  const left = idle.closed.then(() => "left");
  const later = new Promise((resolve) => setTimeout(() => resolve("there"), 3500));
  expect(await Promise.race([left, later])).toBe("there");
  await host.close();
  expect(await left).toBe("left");
  await other.remove();
});
