import type { z } from "zod";
import { type Failure, FailureError } from "../../protocol/errors.js";
import { type ClientMessage, httpPaths, PROTOCOL_VERSION, ServerMessage } from "../../protocol/messages.js";

export type ConnectionStatus = "connecting" | "connected" | "lost" | "unauthorized" | "outdated";

type WithoutId<M> = M extends { id: number } ? Omit<M, "id"> : never;
/** A request as callers write it; the connection adds the id. */
export type Request = WithoutId<z.input<typeof ClientMessage>>;

type Pending = { resolve: (value: unknown) => void; reject: (reason: FailureError) => void };
type Listener = { onMessage: (message: ServerMessage) => void; onStatus: (status: ConnectionStatus, retryAt: number | null) => void };

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;

/** One WebSocket to the server that is opened again whenever it breaks, and the requests that wait for an answer on it. */
export class Connection {
  readonly #base: string;
  readonly #listener: Listener;
  readonly #pending = new Map<number, Pending>();
  #socket: WebSocket | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = FIRST_RETRY_MS;
  #nextId = 1;
  #closed = true;

  constructor(base: string, listener: Listener) {
    this.#base = base;
    this.#listener = listener;
  }

  open(): void {
    this.#closed = false;
    clearTimeout(this.#retry);
    this.#listener.onStatus("connecting", null);
    const socket = new WebSocket(socketUrl(this.#base));
    this.#socket = socket;
    socket.onmessage = (event) => this.#receive(String(event.data));
    socket.onclose = () => void this.#lose(socket);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket?.close();
    this.#rejectAll();
  }

  /** Sends one request; resolves with its parsed result, rejects with a FailureError. */
  async request<S extends z.ZodType>(result: S, message: Request): Promise<z.infer<S>> {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) throw lostFailure();
    const id = this.#nextId++;
    const answer = new Promise<unknown>((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    socket.send(JSON.stringify({ ...message, id }));
    return result.parse(await answer);
  }

  #receive(text: string): void {
    const message = ServerMessage.parse(JSON.parse(text));
    switch (message.type) {
      case "hello":
        this.#greet(message.protocolVersion);
        break;
      case "result":
        this.#settle(message.id, (pending) => pending.resolve(message.value));
        return;
      case "failure":
        this.#settle(message.id, (pending) => pending.reject(failureError(message.failure)));
        return;
      default:
        break;
    }
    this.#listener.onMessage(message);
    // Only with the snapshot is the server ready for requests, and the page for their answers.
    if (message.type === "snapshot") this.#listener.onStatus("connected", null);
  }

  #greet(protocolVersion: number): void {
    this.#retryMs = FIRST_RETRY_MS;
    if (protocolVersion === PROTOCOL_VERSION) return;
    this.#closed = true;
    this.#listener.onStatus("outdated", null);
  }

  #settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending) how(pending);
  }

  async #lose(socket: WebSocket): Promise<void> {
    if (socket !== this.#socket || this.#closed) return;
    this.#rejectAll();
    const refused = await isRefused(this.#base);
    if (this.#closed || socket !== this.#socket) return;
    this.#listener.onStatus(refused ? "unauthorized" : "lost", Date.now() + this.#retryMs);
    this.#retry = setTimeout(() => this.open(), this.#retryMs);
    this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 2);
  }

  #rejectAll(): void {
    for (const pending of this.#pending.values()) pending.reject(lostFailure());
    this.#pending.clear();
  }
}

function socketUrl(base: string): string {
  const url = new URL(`${base}${httpPaths.socket}`, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

// A refused WebSocket looks to the page like an absent server; a plain request tells them apart.
async function isRefused(base: string): Promise<boolean> {
  try {
    const answer = await fetch(`${base}${httpPaths.report("-")}`, { method: "HEAD" });
    return answer.status === 401 || answer.status === 403;
  } catch {
    return false; // no server at all
  }
}

function failureError(failure: Failure): FailureError {
  return new FailureError(failure.code, failure.message, failure.details);
}

function lostFailure(): FailureError {
  return new FailureError("server_missing", "The connection to the server is lost; the page tries again by itself.");
}
