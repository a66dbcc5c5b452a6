import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { Dataset } from "../../../protocol/dataset.js";
import { ACCESS_HEADER, type Access, fullAccess } from "../../../protocol/host.js";
import { ResultOf } from "../../../protocol/messages.js";
import { newAddress, type ServerFile } from "../../../server/http/running-server.js";
import type { RunningServer } from "../../../server/start.js";
import { connectHost, factsOf } from "../host/test-host.js";
import { openPage, type TestPage } from "../host/test-page.js";
import { makeTempHome, type TempHome } from "../temp-home.js";
import { importMoss, startTestServer } from "../test-server.js";

const restricted: Access = { level: "restricted", reason: "openToOthers", hideFolders: false };
const hidden: Access = { ...fullAccess, hideFolders: true };

let home: TempHome;
let running: RunningServer;
let server: ServerFile;
let full: TestPage;

beforeAll(async () => {
  home = await makeTempHome();
  ({ running, server } = await startTestServer(home));
  full = await openPage(server);
  await importMoss(full, home);
});
afterAll(async () => {
  await running?.close();
  await home.remove();
});

const ask = (path: string, method: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${server.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${server.secret}`, ...headers },
    ...(method === "PUT" && { body: "x" }),
  });
const withAccess = (access: unknown) => ({ [ACCESS_HEADER]: typeof access === "string" ? access : JSON.stringify(access) });

describe("a page that may only look", () => {
  test("is told so, and sees data sets, plans and logs", async () => {
    const page = await openPage(server, restricted);
    expect(page.snapshot.access).toEqual(restricted);
    expect((await page.request({ type: "scanDataset", dataset: "moss" }, Dataset)).images).toHaveLength(4);
    await page.request({ type: "plan", dataset: "moss", baseModel: "tiny", settings: {} }, ResultOf.plan);
    await page.close();
  });

  test("can start, change or delete nothing", async () => {
    const page = await openPage(server, restricted);
    const anything = z.unknown();
    const refused = { failure: { code: "restricted" } };
    const messages: Parameters<TestPage["request"]>[0][] = [
      { type: "importDataset", source: "/", name: "x" },
      { type: "fixDataset", dataset: "moss", dryRun: true },
      { type: "undoDataset", dataset: "moss" },
      { type: "setTriggerWord", dataset: "moss", triggerWord: "x" },
      { type: "setCaption", dataset: "moss", image: "x", caption: "x" },
      { type: "rejectImage", dataset: "moss", image: "x" },
      { type: "enqueue", dataset: "moss", baseModel: "tiny", settings: {} },
      { type: "pauseJob", job: "x" },
      { type: "resumeJob", job: "x" },
      { type: "stopJob", job: "x" },
      { type: "drawInWebui", job: "x" },
      { type: "stopDrawing", job: "x" },
      { type: "lendGpu", job: "x" },
      { type: "setHostSettings", settings: { gpuPolicy: "share" } },
      { type: "keepLora", job: "x", epoch: 1 },
      { type: "loraTool", request: { tool: "resize", file: "x", out: "y", dim: 4, method: "fixed", target: 0 } },
    ];
    for (const message of messages) await expect(page.request(message, anything), message.type).rejects.toMatchObject(refused);
    await page.close();
  });

  test("writes nothing over HTTP either", async () => {
    for (const [method, path] of [
      ["PUT", "/api/uploads/u/x.png"],
      ["POST", "/api/codes"],
      ["POST", "/api/shutdown"],
      ["DELETE", "/api/loras/x"],
    ] as const) {
      const response = await ask(path, method, withAccess(restricted));
      expect([path, response.status, (await response.json()).code]).toEqual([path, 403, "restricted"]);
    }
    expect(existsSync(join(home.uploadsDir, "u"))).toBe(false);
    expect((await ask("/api/server", "GET", withAccess(restricted))).status).toBe(200);
    expect((await ask("/api/uploads/u/x.png", "PUT", withAccess(fullAccess))).status).toBe(201);
  });

  test("a verdict that can't be read gives no rights", async () => {
    for (const broken of ["", "{", '{"level":"admin"}', "full"])
      expect((await ask("/api/codes", "POST", withAccess(broken))).status).toBe(403);
  });

  test("a browser with a cookie can't give itself or lose rights by the header", async () => {
    const code = new URL(await newAddress(server)).hash.replace("#code=", "");
    const session = await fetch(`http://127.0.0.1:${server.port}/api/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ code }),
    });
    const cookie = session.headers.get("set-cookie")?.split(";")[0] ?? "";
    const put = (headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${server.port}/api/uploads/c/x.png`, { method: "PUT", headers, body: "x" });
    expect((await put({ cookie, ...withAccess(restricted) })).status).toBe(201);
    expect((await put(withAccess(fullAccess))).status).toBe(401);
  });
});

describe("hidden folders", () => {
  test("no path of this machine reaches the page", async () => {
    const models = join(home.home, "..", `${home.home}-models`);
    await mkdir(models, { recursive: true });
    await writeFile(join(models, "x.ckpt"), "");
    const facts = factsOf({ dataDir: `${home.home}-webui`, loraDir: `${home.home}-webui/models/Lora`, checkpointDirs: [models] });
    const host = await connectHost(server, { facts });
    await expect.poll(() => full.host()?.connected).toBe(true);
    const page = await openPage(server, hidden);
    await page.request({ type: "scanDataset", dataset: "moss" }, Dataset);
    await page.request({ type: "plan", dataset: "moss", baseModel: "tiny", settings: {} }, ResultOf.plan);
    const failing = page.request({ type: "plan", dataset: "none", baseModel: "tiny", settings: {} }, ResultOf.plan);
    await expect(failing).rejects.toMatchObject({ failure: { message: expect.not.stringContaining("/") as string } });
    expect(page.snapshot).toMatchObject({ home: "", loraDir: "", access: hidden, host: { facts: { loraDir: "", checkpointDirs: [""] } } });
    expect(page.snapshot.baseModels.map(({ name }) => name)).toEqual(["pocket", "tiny"]);
    expect(JSON.stringify(page.messages)).not.toContain(home.home);
    expect(JSON.stringify(page.messages)).not.toContain(process.cwd());
    await Promise.all([page.close(), host.close()]);
  });

  test("pictures come from uploads only", async () => {
    const page = await openPage(server, hidden);
    const take = (source: string) => page.request({ type: "importDataset", source, name: "taken" }, ResultOf.importDataset);
    await expect(take(join(home.home, "pictures"))).rejects.toMatchObject({ failure: { code: "restricted" } });
    await expect(take("upload:none")).rejects.toMatchObject({ failure: { code: "bad_request" } });
    await page.close();
  });
});
