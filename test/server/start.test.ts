import { once } from "node:events";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { ResultOf } from "../../protocol/messages.js";
import { type Connection, connect } from "../../server/demo/connect.js";
import { findServer, readServerFile } from "../../server/http/running-server.js";
import { readEvents, runDirOf } from "../../server/trainer/run.js";
import { type Bundle, bundlePrograms } from "./bundle.js";
import { runMain, type ServerProcess, startServerProcess } from "./server-process.js";
import { makeTempHome, type TempHome, writePictures } from "./temp-home.js";

// Programs start slowly on a machine that is busy with something else.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

let bundle: Bundle;
let home: TempHome;
const running: ServerProcess[] = [];

beforeAll(async () => {
  bundle = await bundlePrograms();
});
afterAll(() => bundle.remove());
beforeEach(async () => {
  home = await makeTempHome();
});
afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
  await home.remove();
});

async function start(args: readonly string[] = []): Promise<ServerProcess> {
  const server = await startServerProcess(bundle.main, home, args);
  running.push(server);
  return server;
}

async function join(): Promise<Connection> {
  const server = await findServer(home);
  if (server === null) throw new Error("no server answers");
  return connect(server);
}

async function enqueue(connection: Connection, outputName: string, targetSteps: number): Promise<string> {
  const request = { dataset: "moss", baseModel: "tiny", settings: { outputName, targetSteps, epochs: 2 } };
  return (await connection.request({ type: "enqueue", ...request }, ResultOf.enqueue)).job;
}

async function importMoss(connection: Connection): Promise<void> {
  const source = await writePictures(`${home.home}/pictures`);
  await connection.request({ type: "importDataset", source, name: "moss" }, ResultOf.importDataset);
}

test("the server's file is for its owner only and goes with a clean end", async () => {
  const server = await start();
  expect((await stat(home.serverFile)).mode & 0o777).toBe(0o600);
  expect(await readServerFile(home)).toMatchObject({ pid: server.child.pid, port: server.port });
  expect(server.url).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${server.port}/#code=[\\w-]{20,}$`));
  server.child.kill("SIGTERM");
  expect(await server.ended).toMatchObject({ code: 0, stderr: "" });
  expect(await readServerFile(home)).toBeNull();
});

test("a second start is refused with the address of the first, which stays untouched", async () => {
  const first = await start();
  const { code, stdout, stderr } = await runMain(bundle.main, home).ended;
  expect(code).toBe(1);
  expect(stderr).toContain(`process ${first.child.pid}`);
  expect(stderr).toMatch(new RegExp(`http://127\\.0\\.0\\.1:${first.port}/#code=\\S+`));
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, code: "server_running" });
  expect(await findServer(home)).toMatchObject({ pid: first.child.pid });
});

test("of several starts at the same time one wins", async () => {
  const starts = Array.from({ length: 4 }, () => runMain(bundle.main, home));
  await expect.poll(() => findServer(home), { timeout: 60_000 }).not.toBeNull();
  const pid = (await findServer(home))?.pid;
  const losers = starts.filter(({ child }) => child.pid !== pid);
  expect(losers).toHaveLength(3);
  for (const { ended } of losers) expect(await ended).toMatchObject({ code: 1, stderr: expect.stringContaining("server_running") });
  const winner = starts.find(({ child }) => child.pid === pid);
  winner?.child.kill("SIGTERM");
  expect((await winner?.ended)?.code).toBe(0);
});

test("a port that is taken is told, and the home is free for another try", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" ? address?.port : 0;
  const { code, stderr, stdout } = await runMain(bundle.main, home, ["--port", String(port)]).ended;
  other.close();
  expect(code).toBe(1);
  expect(stderr).toContain(`The port ${port} is taken`);
  expect(JSON.parse(stdout)).toMatchObject({ code: "port_taken" });
  await start();
});

test("wrong usage has its own exit code", async () => {
  expect(await runMain(bundle.main, home, ["--prot", "1"]).ended).toMatchObject({ code: 2, stderr: expect.stringContaining("--prot") });
  expect(await runMain(bundle.main, home, ["--port", "many"]).ended).toMatchObject({ code: 2, stderr: expect.stringContaining('"many"') });
});

test("a killed server leaves everything; the next one goes on with the training by itself", async () => {
  const first = await start();
  const connection = await join();
  await importMoss(connection);
  const job = await enqueue(connection, "slow-moss", 60);
  const steps: number[] = [];
  connection.onJobEvent(job, (event) => event.type === "step" && steps.push(event.step));
  await expect.poll(() => steps.length, { timeout: 60_000 }).toBeGreaterThan(3);
  first.child.kill("SIGKILL");
  await first.ended;

  await start();
  const again = await join();
  expect(again.snapshot.datasets).toMatchObject([{ name: "moss", images: 4 }]);
  const events: string[] = [];
  again.onJobEvent(job, (event) => void events.push(event.type));
  await expect.poll(() => events.at(-1), { timeout: 60_000 }).toBe("finished");
  const starts = (await readEvents(runDirOf(home, job))).flatMap((event) => (event.type === "started" ? [event.step] : []));
  expect(starts).toEqual([0, expect.toSatisfy((step: number) => step > 0)]);
  again.close();
});

test("a server that is asked to end saves the running training and goes on with it at the next start", async () => {
  const first = await start();
  const connection = await join();
  await importMoss(connection);
  const job = await enqueue(connection, "slow-moss", 60);
  let seen = 0;
  connection.onJobEvent(job, (event) => {
    if (event.type === "step") seen = event.step;
  });
  await expect.poll(() => seen, { timeout: 60_000 }).toBeGreaterThan(3);
  first.child.kill("SIGTERM");
  expect((await first.ended).code).toBe(0);
  const events = await readFile(`${home.runsDir}/${job}/events.jsonl`, "utf8");
  expect(events).toContain('"type":"paused"');

  await start();
  const again = await join();
  let finished = false;
  again.onJobEvent(job, (event) => {
    finished ||= event.type === "finished";
  });
  await expect.poll(() => finished, { timeout: 60_000 }).toBe(true);
  again.close();
});

test("a leftover server file of a dead server is replaced", async () => {
  await writeFile(home.serverFile, JSON.stringify({ pid: 999_999, port: 9, secret: "a-secret-of-yesterday" }));
  await chmod(home.serverFile, 0o600);
  const server = await start();
  expect(await readServerFile(home)).toMatchObject({ pid: server.child.pid, port: server.port });
});

test("a server with nothing to do leaves when it was told to", async () => {
  const server = await start(["--idle-exit", "0"]);
  expect((await server.ended).code).toBe(0);
});
