import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { z } from "zod";
import { type Failure, FailureError } from "../../protocol/errors.js";
import type { Access } from "../../protocol/host.js";
import { ClientMessage, httpPaths, PROTOCOL_VERSION, type ServerMessage } from "../../protocol/messages.js";
import { serverVersion } from "../checkout.js";
import type { State } from "../state.js";
import { failureOf } from "../trainer/failure-of.js";
import { accessOf, checkMessage } from "./access.js";
import { checkCaller } from "./caller.js";
import type { Handlers } from "./handlers.js";
import { handle } from "./handlers.js";
import { foldersOf, hideFolders } from "./hide-folders.js";
import type { Session } from "./session.js";

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

type Context = { state: State; session: Session; port: number; handlers: Handlers };

/**
 * The WebSocket at /ws: hello, the snapshot, then every change; requests are answered by their id. And the one at /host, where the
 * shim inside the WebUI answers. Returns the way to close them.
 */
export function openSocket(server: Server, context: Context): () => void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on("error", () => stream.destroy());
    const refusal = refusalOf(request, context);
    if (refusal !== null) return refuse(stream, refusal);
    sockets.handleUpgrade(request, stream, head, (socket) => {
      if (pathOf(request) === httpPaths.host) context.state.webui.accept(socket);
      else void converse(socket, context, accessOf(request, context.session));
    });
  });
  return () => {
    for (const socket of sockets.clients) socket.close(1001, "the server leaves");
    sockets.close();
  };
}

async function converse(socket: WebSocket, { state, handlers }: Context, access: Access): Promise<void> {
  const send = (message: ServerMessage) => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(asSeenBy(access, message, state)));
  };
  socket.on("error", () => socket.terminate());
  socket.on("message", (data) => void answer(data, handlers, access).then(send));
  send({ type: "hello", protocolVersion: PROTOCOL_VERSION, serverVersion: serverVersion() });
  const leave = await state.follow(send);
  if (socket.readyState === socket.OPEN) socket.on("close", leave);
  else leave();
}

function asSeenBy(access: Access, message: ServerMessage, state: State): ServerMessage {
  const own: ServerMessage = message.type === "snapshot" ? { ...message, snapshot: { ...message.snapshot, access } } : message;
  return access.hideFolders ? hideFolders(own, foldersOf(state)) : own;
}

// The one place where a request's error is caught.
async function answer(data: RawData, handlers: Handlers, access: Access): Promise<ServerMessage> {
  let id = 0;
  try {
    const raw = parseJson(data);
    id = idOf(raw);
    const parsed = ClientMessage.safeParse(raw);
    if (!parsed.success) throw new FailureError("bad_request", unreadable(parsed.error));
    checkMessage(access, parsed.data);
    return { type: "result", id, ok: true, value: await handle(handlers, parsed.data) };
  } catch (error) {
    return { type: "failure", id, failure: failureOf(error) };
  }
}

function parseJson(data: RawData): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    throw new FailureError("bad_request", "Expected a message in JSON, but got something else.");
  }
}

// A message that is wrong in another field still gets its answer under its own id.
function idOf(raw: unknown): number {
  return typeof raw === "object" && raw !== null && "id" in raw && typeof raw.id === "number" && Number.isInteger(raw.id) ? raw.id : 0;
}

function unreadable(error: z.ZodError): string {
  const issues = error.issues.map((issue) => `${issue.path.join(".") || "message"}: ${issue.message}`);
  return `The request is not as the protocol wants it: ${issues.join("; ")}.`;
}

function refusalOf(request: IncomingMessage, { session, port }: Context): Failure | null {
  try {
    checkCaller(request, port);
    const path = pathOf(request);
    if (path !== httpPaths.socket && path !== httpPaths.host) throw new FailureError("not_found", `There is no socket at ${path}.`);
    if (!session.allows(request))
      throw new FailureError("unauthorized", "Open the address that the server printed at its start: it lets this browser in.");
    if (path === httpPaths.host && !session.hasSecret(request))
      throw new FailureError("unauthorized", "Only the WebUI's own side may speak for the WebUI, with the secret of this server.");
    return null;
  } catch (error) {
    return failureOf(error);
  }
}

function pathOf(request: IncomingMessage): string {
  return new URL(request.url ?? "/", "http://localhost").pathname;
}

function refuse(stream: Duplex, failure: Failure): void {
  const body = JSON.stringify(failure);
  const status = failure.code === "unauthorized" ? "401 Unauthorized" : "404 Not Found";
  stream.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
