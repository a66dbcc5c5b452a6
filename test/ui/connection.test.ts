import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { fullAccess } from "../../protocol/host.js";
import { PROTOCOL_VERSION } from "../../protocol/messages.js";
import { Connection, type ConnectionStatus } from "../../ui/data/connection.js";
import { BrowserSocket } from "./browser-socket.js";

/** What the edge in front of the server does with a page: a status for /session and for a socket without its upgrade, and sockets. */
type Edge = { session: number; plainSocket: number; tokens: string[]; protocols: string[]; addresses: string[]; sockets: WebSocket[] };

let edge: Edge;
let server: Server;
let connection: Connection;
let said: ConnectionStatus[];

const snapshot = { home: "", loraDir: "", baseModels: [], datasets: [], jobs: [], loras: [], host: null, access: fullAccess, tasks: [] };

beforeEach(async () => {
  edge = { session: 204, plainSocket: 404, tokens: [], protocols: [], addresses: [], sockets: [] };
  said = [];
  server = createServer((request, response) => {
    edge.addresses.push(request.url ?? "");
    edge.tokens.push(String(request.headers["x-train-lora-token"]));
    response.writeHead(request.url === "/train-lora/ws" ? edge.plainSocket : edge.session).end();
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => (offered.has("train-lora") ? "train-lora" : false) });
  server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    if (edge.plainSocket === 426) stream.end("HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\n\r\n");
    else sockets.handleUpgrade(request, stream, head, (socket) => sockets.emit("connection", socket, request));
  });
  sockets.on("connection", (socket: WebSocket, request: IncomingMessage) => {
    edge.addresses.push(request.url ?? "");
    edge.protocols.push(String(request.headers["sec-websocket-protocol"]));
    edge.sockets.push(socket);
    socket.send(JSON.stringify({ type: "hello", protocolVersion: PROTOCOL_VERSION, serverVersion: "1" }));
    socket.send(JSON.stringify({ type: "snapshot", snapshot }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo;
  vi.stubGlobal("WebSocket", BrowserSocket);
  vi.stubGlobal("location", { href: `http://127.0.0.1:${address.port}/` });
  connection = new Connection(`http://127.0.0.1:${address.port}/train-lora`, {
    onMessage: () => undefined,
    onStatus: (status) => said.push(status),
  });
});

afterEach(async () => {
  connection.close();
  for (const socket of edge.sockets) socket.terminate();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  vi.unstubAllGlobals();
});

function insideWebui(page: { token: string; renewToken?: () => Promise<boolean> }): void {
  vi.stubGlobal("window", { trainLoraHost: page });
}

const until = (status: ConnectionStatus) => vi.waitFor(() => expect(said).toContain(status), { timeout: 5000 });

describe("a page that stands alone", () => {
  it("opens its socket without a token and without asking the WebUI's edge", async () => {
    connection.open();
    await until("connected");
    expect(edge.addresses).toEqual(["/train-lora/ws"]);
    expect(edge.protocols).toEqual(["undefined"]);
  });

  it("tells a refusal from a server that is not there", async () => {
    connection.open();
    await until("connected");
    edge.session = 401;
    edge.sockets[0]?.close(1001);
    await until("unauthorized");
  });
});

describe("a page inside the WebUI", () => {
  it("trades its token for the cookie, and puts it into a header and a sub-protocol but into no address", async () => {
    insideWebui({ token: "abc_123-x" });
    connection.open();
    await until("connected");
    expect(edge.tokens).toEqual(["abc_123-x"]);
    expect(edge.protocols).toEqual(["train-lora,train-lora.abc_123-x"]);
    expect(edge.addresses).toEqual(["/train-lora/session", "/train-lora/ws"]);
  });

  it("says that the WebUI restarts, and comes back by itself with a fresh snapshot", async () => {
    insideWebui({ token: "abc" });
    connection.open();
    await until("connected");
    edge.sockets[0]?.close(1012);
    await until("restarting");
    await vi.waitFor(() => expect(edge.sockets).toHaveLength(2), { timeout: 5000 });
    await vi.waitFor(() => expect(said.at(-1)).toBe("connected"));
  });

  it("waits for the server that the WebUI brings up, and for the routes of a WebUI that is starting", async () => {
    insideWebui({ token: "abc" });
    edge.session = 503;
    connection.open();
    await until("serverAway");
    edge.session = 404;
    await until("restarting");
    edge.session = 204;
    await until("connected");
    edge.sockets[0]?.close(1013);
    await vi.waitFor(() => expect(said.at(-1)).toBe("serverAway"), { timeout: 5000 });
  });

  it("names a proxy that takes the upgrade away, and goes on as soon as it passes it on", async () => {
    insideWebui({ token: "abc" });
    edge.plainSocket = 426;
    connection.open();
    await until("noSockets");
    edge.plainSocket = 404;
    await until("connected");
  });

  it("asks for a login when the WebUI does not know it", async () => {
    insideWebui({ token: "abc", renewToken: async () => false });
    edge.session = 401;
    connection.open();
    await until("loggedOut");
    expect(edge.addresses).toEqual(["/train-lora/session"]);
  });

  it("goes on with the token of a WebUI that was started anew", async () => {
    const page = {
      token: "old",
      renewToken: async () => {
        page.token = "new";
        edge.session = 204;
        return true;
      },
    };
    insideWebui(page);
    edge.session = 401;
    connection.open();
    await until("connected");
    expect(edge.tokens).toEqual(["old", "new"]);
    expect(edge.protocols).toEqual(["train-lora,train-lora.new"]);
  });
});
