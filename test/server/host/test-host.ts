import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { WebSocket } from "ws";
import { HostCheckpoints, HostFacts, HostMessage, HostRequest } from "../../../protocol/host.js";
import { PROTOCOL_VERSION } from "../../../protocol/messages.js";
import type { ServerFile } from "../../../server/http/running-server.js";

type Answering = { [Type in HostRequest["type"]]?: (request: Extract<HostRequest, { type: Type }>, host: TestHost) => unknown };

/** A shim that speaks the contract over a real socket: it answers like a WebUI that is idle, unless a test says otherwise. */
export type TestHost = {
  readonly socket: WebSocket;
  readonly requests: HostRequest[];
  /** Leases that are held, and all that ever were. */
  readonly leases: Set<string>;
  readonly granted: string[];
  send(message: HostMessage): void;
  of<Type extends HostRequest["type"]>(type: Type): Extract<HostRequest, { type: Type }>[];
  close(): Promise<void>;
};

export function factsOf(changes: Partial<HostFacts> = {}): HostFacts {
  return HostFacts.parse({
    flavour: "a1111",
    version: "v1.10.1",
    gradioVersion: "3.41.2",
    pythonVersion: "3.10.6",
    pid: process.pid,
    dataDir: "/webui",
    loraDir: "/webui/models/Lora",
    checkpointDirs: [],
    flags: [],
    samplers: ["DDIM", "Euler"],
    schedulers: ["Automatic", "Karras"],
    can: { useLoras: true, xyzAxes: true, pasteText: true, leaseGpu: true, renderCells: true },
    ...changes,
  });
}

export const checkpointsOf = (changes: Partial<HostCheckpoints> = {}): HostCheckpoints =>
  HostCheckpoints.parse({ checkpoints: [], loaded: "pocket.safetensors [0123456789]", vaes: [], ...changes });

/** Connects and says hello; `answering` replaces single answers, and a function that never returns leaves a request open. */
export async function connectHost(
  server: Pick<ServerFile, "port" | "secret">,
  { facts = factsOf(), answering = {}, version = PROTOCOL_VERSION }: { facts?: HostFacts; answering?: Answering; version?: number } = {},
): Promise<TestHost> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/host`, { headers: { authorization: `Bearer ${server.secret}` } });
  await once(socket, "open");
  const host: TestHost = {
    socket,
    requests: [],
    leases: new Set(),
    granted: [],
    send: (message) => socket.send(JSON.stringify(HostMessage.parse(message))),
    of: (type) => host.requests.filter((request): request is Extract<HostRequest, { type: typeof type }> => request.type === type),
    async close() {
      socket.close();
      await once(socket, "close");
    },
  };
  socket.on("message", (data) => void answer(host, HostRequest.parse(JSON.parse(String(data))), answering));
  host.send({ type: "hello", protocolVersion: version, facts });
  return host;
}

async function answer(host: TestHost, request: HostRequest, answering: Answering): Promise<void> {
  host.requests.push(request);
  const given: ((request: never, host: TestHost) => unknown) | undefined = answering[request.type];
  try {
    const value = given ? await (given as (request: HostRequest, host: TestHost) => unknown)(request, host) : await usual(host, request);
    if (host.socket.readyState === host.socket.OPEN) host.send({ type: "answer", id: request.id, value });
  } catch (error) {
    host.send({
      type: "refusal",
      id: request.id,
      failure: { code: "webui_failed", message: String(error instanceof Error ? error.message : error) },
    });
  }
}

/** What an idle WebUI answers. */
export async function usual(host: TestHost, request: HostRequest): Promise<unknown> {
  switch (request.type) {
    case "listCheckpoints":
      return checkpointsOf();
    case "refreshLoras":
      return { missing: [] };
    case "leaseGpu": {
      const lease = `lease-${host.granted.length + 1}`;
      host.granted.push(lease);
      host.leases.add(lease);
      return { lease, freedMb: 0 };
    }
    case "releaseGpu":
      host.leases.delete(request.lease);
      return {};
    case "renderCells":
      for (const cell of request.cells) await drawCell(host, request, cell.file);
      return { drawn: request.cells.length };
    case "saveGrid":
      return { file: "/webui/outputs/grid.png" };
    case "pasteText":
      return { text: `${request.prompt}\nSteps: ${request.settings.steps}, Seed: ${request.seed}` };
    case "setRuns":
    case "cancel":
      return {};
  }
}

/** Writes one cell's picture as the WebUI does, and tells of it. */
export async function drawCell(host: TestHost, request: Extract<HostRequest, { type: "renderCells" }>, file: string): Promise<void> {
  const path = join(request.outDir, ...file.split("/"));
  const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: "#446688" } })
    .png()
    .toBuffer();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, png);
  if (host.socket.readyState === host.socket.OPEN) host.send({ type: "cellDrawn", id: request.id, file, infotext: `infotext of ${file}` });
}
