import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocketServer } from "ws";
import { joinSession, membersOf } from "../../ui/data/shared-session.js";
import { BrowserSocket } from "./browser-socket.js";

let server: Server;
let sockets: WebSocketServer;
let base: string;

beforeEach(async () => {
  server = createServer((_request, response) => response.writeHead(204).end());
  sockets = new WebSocketServer({ server });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubGlobal("WebSocket", BrowserSocket);
  vi.stubGlobal("location", { href: base, hash: "", pathname: "/", search: "" });
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  vi.unstubAllGlobals();
});

describe("the page's connection", () => {
  it("is one for the app and the toasts, and ends with the last of them", async () => {
    const app = joinSession(base);
    const toasts = joinSession(base);
    expect(toasts.session).toBe(app.session);
    await vi.waitFor(() => expect(sockets.clients.size).toBe(1), { timeout: 5000 });
    app.leave();
    app.leave();
    expect(membersOf(base)).toBe(1);
    expect(sockets.clients.size).toBe(1);
    toasts.leave();
    expect(membersOf(base)).toBe(0);
    await vi.waitFor(() => expect(sockets.clients.size).toBe(0), { timeout: 5000 });
  });
});
