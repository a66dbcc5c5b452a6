import type { z } from "zod";
import { type Failure, FailureError } from "../../protocol/errors.js";
import { type ClientMessage, httpPaths, PROTOCOL_VERSION, ServerMessage } from "../../protocol/messages.js";
import { type Introduction, introduce, isRefused, missesUpgrade } from "./introduce.js";
import { webuiPage } from "./webui.js";

/**
 * lost: no server answers. restarting: the WebUI around the page is away. serverAway: the WebUI is there and its server comes.
 * noSockets: a proxy in front of the WebUI passes on everything but WebSockets. unauthorized: alone, the page has no session; loggedOut: the WebUI wants a login or a reload.
 */
export type ConnectionStatus =
  | "connecting"
  | "connected"
  | "lost"
  | "restarting"
  | "serverAway"
  | "noSockets"
  | "unauthorized"
  | "loggedOut"
  | "outdated";

type WithoutId<M> = M extends { id: number } ? Omit<M, "id"> : never;
/** A request as callers write it; the connection adds the id. */
export type Request = WithoutId<z.input<typeof ClientMessage>>;

type Pending = { resolve: (value: unknown) => void; reject: (reason: FailureError) => void };
type Listener = { onMessage: (message: ServerMessage) => void; onStatus: (status: ConnectionStatus, retryAt: number | null) => void };

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;
/** How the WebUI ends a socket: it is restarted ("Reload UI" too), or its server did not answer in time. */
const SERVICE_RESTART = 1012;
const TRY_AGAIN_LATER = 1013;

/** One WebSocket to the server that is opened again whenever it breaks, and the requests that wait for an answer on it. */
export class Connection {
  readonly #base: string;
  readonly #listener: Listener;
  readonly #pending = new Map<number, Pending>();
  #socket: WebSocket | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = FIRST_RETRY_MS;
  #nextId = 1;
  #attempt = 0;

  constructor(base: string, listener: Listener) {
    this.#base = base;
    this.#listener = listener;
  }

  open(): void {
    clearTimeout(this.#retry);
    this.#listener.onStatus("connecting", null);
    this.#attempt += 1;
    this.#socket?.close();
    void this.#connect(this.#attempt);
  }

  close(): void {
    this.#attempt += 1;
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

  async #connect(attempt: number): Promise<void> {
    const page = webuiPage();
    const introduction = page ? await introduce(this.#base, page) : "in";
    if (attempt !== this.#attempt) return;
    if (introduction !== "in") return this.#wait(statusAfter[introduction]);
    const socket = new WebSocket(socketUrl(this.#base), page ? ["train-lora", `train-lora.${page.token}`] : []);
    this.#socket = socket;
    socket.onmessage = (event) => this.#receive(String(event.data));
    socket.onclose = (event) => void this.#lose(attempt, event.code);
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
    this.#attempt += 1;
    this.#listener.onStatus("outdated", null);
  }

  #settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending) how(pending);
  }

  async #lose(attempt: number, code: number): Promise<void> {
    if (attempt !== this.#attempt) return;
    this.#rejectAll();
    if (code === SERVICE_RESTART) return this.#wait("restarting");
    if (code === TRY_AGAIN_LATER) return this.#wait("serverAway");
    const status = await this.#statusOfLoss();
    if (attempt === this.#attempt) this.#wait(status);
  }

  async #statusOfLoss(): Promise<ConnectionStatus> {
    const page = webuiPage();
    if (page) return (await missesUpgrade(this.#base, page)) ? "noSockets" : "lost";
    return (await isRefused(this.#base)) ? "unauthorized" : "lost";
  }

  #wait(status: ConnectionStatus): void {
    this.#listener.onStatus(status, Date.now() + this.#retryMs);
    this.#retry = setTimeout(() => this.open(), this.#retryMs);
    this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 2);
  }

  #rejectAll(): void {
    for (const pending of this.#pending.values()) pending.reject(lostFailure());
    this.#pending.clear();
  }
}

const statusAfter: Record<Exclude<Introduction, "in">, ConnectionStatus> = {
  refused: "loggedOut",
  serverAway: "serverAway",
  away: "restarting",
};

function socketUrl(base: string): string {
  const url = new URL(`${base}${httpPaths.socket}`, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

function failureError(failure: Failure): FailureError {
  return new FailureError(failure.code, failure.message, failure.details);
}

function lostFailure(): FailureError {
  return new FailureError("server_missing", "The connection to the server is lost; the page tries again by itself.");
}
