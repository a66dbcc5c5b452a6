import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { FailureError } from "../protocol/errors.js";
import { makeApp } from "./http/app.js";
import { makeHandlers } from "./http/handlers.js";
import { findServer, newAddress, pageAddress, readServerFile, writeServerFile } from "./http/running-server.js";
import { openSession } from "./http/session.js";
import { openSocket } from "./http/socket.js";
import { type HomePaths, homePaths } from "./paths.js";
import { openState, type State } from "./state.js";
import { holdLock } from "./store/sqlite.js";

/** A server that listens. */
export type RunningServer = {
  readonly port: number;
  /** The page's address with a code for one browser. */
  readonly url: string;
  /** Has a running training save its state, then leaves. May be called more than once. */
  close(): Promise<void>;
  /** Settles when the server has left, whoever asked for it. */
  readonly closed: Promise<void>;
};

export type StartRequest = {
  readonly home: string;
  /** 0 or absent: a free one. */
  readonly port?: number;
  /** Where LoRA files go until a WebUI says otherwise; absent: the home's models/Lora. */
  readonly loraDir?: string;
  /** Leave after so many minutes without work and without a page; absent: stay. */
  readonly idleExitMinutes?: number;
};

const IDLE_CHECK_MS = 1000;
/** How long a second start waits for the address of a first one that is just coming up. */
const ADDRESS_PATIENCE_MS = 15_000;

/** Starts the one server of a home. Throws `server_running` with the address of the one that runs, or `port_taken`. */
export async function startServer({ home, port = 0, loraDir, idleExitMinutes }: StartRequest): Promise<RunningServer> {
  const paths = homePaths(home);
  await mkdir(paths.home, { recursive: true });
  const release = holdLock(paths.lockFile);
  if (release === null) throw await alreadyRunning(paths);
  const server = createServer();
  try {
    const secret = await chooseSecret(paths);
    const taken = await listen(server, port);
    return await serve({ server, paths, secret, port: taken, release, loraDir, idleExitMinutes });
  } catch (error) {
    server.close();
    release();
    throw error;
  }
}

type ServeRequest = {
  server: Server;
  paths: HomePaths;
  secret: string;
  port: number;
  release: () => void;
  loraDir: string | undefined;
  idleExitMinutes: number | undefined;
};

async function serve({ server, paths, secret, port, release, loraDir, idleExitMinutes }: ServeRequest): Promise<RunningServer> {
  const session = openSession(secret, port);
  const state = openState(paths, loraDir);
  const shutDown = () => void close();
  server.on("request", makeApp({ state, session, port, shutDown }));
  const closeSockets = openSocket(server, { state, session, port, handlers: makeHandlers(state) });
  await writeServerFile(paths, { pid: process.pid, port, secret });
  const stopWatching = idleExitMinutes === undefined ? () => undefined : leaveWhenIdle(state, idleExitMinutes, shutDown);

  let closing: Promise<void> | null = null;
  let tellClosed: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    tellClosed = resolve;
  });
  function close(): Promise<void> {
    closing ??= leave();
    return closing;
  }
  async function leave(): Promise<void> {
    stopWatching();
    await state.close();
    closeSockets();
    server.close();
    server.closeAllConnections();
    await rm(paths.serverFile, { force: true });
    release();
    tellClosed();
  }
  return { port, url: pageAddress(port, session.newCode()), close, closed };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (code === "EADDRINUSE")
      throw new FailureError(
        "port_taken",
        `The port ${port} is taken by another program. Choose another one with --port, or leave it out for a free one.`,
      );
    if (code === "EACCES")
      throw new FailureError(
        "port_taken",
        `The port ${port} may not be used by this user. Choose one above 1023 with --port, or leave it out for a free one.`,
      );
    throw error;
  }
  return portOf(server.address());
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("A listening server has no address.");
  return address.port;
}

// Kept after a crash, so that a page that was open goes on when the server comes back on its port.
async function chooseSecret(paths: HomePaths): Promise<string> {
  return (await readServerFile(paths))?.secret ?? randomBytes(32).toString("base64url");
}

async function alreadyRunning(paths: HomePaths): Promise<FailureError> {
  for (const began = Date.now(); Date.now() - began < ADDRESS_PATIENCE_MS; await sleep(100)) {
    const server = await findServer(paths);
    if (server !== null)
      return new FailureError(
        "server_running",
        `Train LoRA already runs for ${paths.home} (process ${server.pid}); its page is ${await newAddress(server)}`,
      );
  }
  return new FailureError(
    "server_running",
    `Train LoRA already runs for ${paths.home} but does not answer; end that process, or choose another folder with --home.`,
  );
}

function leaveWhenIdle(state: State, minutes: number, shutDown: () => void): () => void {
  let busyAt = Date.now();
  const timer = setInterval(() => {
    if (state.queue.busy() || state.tasks.busy() || state.followers() > 0) busyAt = Date.now();
    else if (Date.now() - busyAt > minutes * 60_000) shutDown();
  }, IDLE_CHECK_MS);
  return () => clearInterval(timer);
}
