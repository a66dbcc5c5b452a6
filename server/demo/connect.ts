import WebSocket from "ws";
import type { z } from "zod";
import { FailureError } from "../../protocol/errors.js";
import type { JobEvent } from "../../protocol/job.js";
import { type ClientMessage, httpPaths, ServerMessage, type Snapshot } from "../../protocol/messages.js";
import type { ServerFile } from "../http/running-server.js";

type Request = ClientMessage extends infer Message ? (Message extends ClientMessage ? Omit<Message, "id"> : never) : never;

/** A conversation with the server over its WebSocket, as the page has it. */
export type Connection = {
  readonly snapshot: Snapshot;
  /** Sends a request and parses its result; throws the failure that it is answered with. */
  request<Result>(message: Request, result: z.ZodType<Result>): Promise<Result>;
  /** Events of one job, until the returned function is called. */
  onJobEvent(job: string, listener: (event: JobEvent) => void): () => void;
  /** Rejects when the server goes away. */
  readonly lost: Promise<never>;
  close(): void;
};

type Waiting = { resolve: (value: unknown) => void; reject: (error: Error) => void };

/** Connects and waits for the snapshot. Throws `server_missing` when the server does not answer. */
export async function connect({ port, secret }: Pick<ServerFile, "port" | "secret">): Promise<Connection> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${httpPaths.socket}`, { headers: { authorization: `Bearer ${secret}` } });
  const waiting = new Map<number, Waiting>();
  const listeners = new Set<(job: string, event: JobEvent) => void>();
  let nextId = 1;

  const lost = new Promise<never>((_resolve, reject) => {
    const gone = (reason: string) => {
      const error = new FailureError(
        "server_missing",
        `The server has gone away (${reason}); start it again: what runs goes on from its last saved state.`,
      );
      for (const { reject: rejectRequest } of waiting.values()) rejectRequest(error);
      reject(error);
    };
    socket.on("close", (code) => gone(`the connection was closed with ${code}`));
    socket.on("error", (error) => gone(error.message));
  });
  // It is a failure for those who wait on it only.
  lost.catch(() => undefined);

  const snapshot = new Promise<Snapshot>((resolve) => {
    socket.on("message", (data) => {
      const message = ServerMessage.parse(JSON.parse(String(data)));
      if (message.type === "snapshot") resolve(message.snapshot);
      if (message.type === "jobEvent") for (const listener of listeners) listener(message.job, message.event);
      if (message.type === "result") waiting.get(message.id)?.resolve(message.value);
      if (message.type === "failure")
        waiting.get(message.id)?.reject(new FailureError(message.failure.code, message.failure.message, message.failure.details));
      if (message.type === "result" || message.type === "failure") waiting.delete(message.id);
    });
  });

  return {
    snapshot: await Promise.race([snapshot, lost]),
    async request(message, result) {
      const id = nextId;
      nextId += 1;
      const answer = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }));
      socket.send(JSON.stringify({ ...message, id }));
      return result.parse(await answer);
    },
    onJobEvent(job, listener) {
      const filtered = (id: string, event: JobEvent) => {
        if (id === job) listener(event);
      };
      listeners.add(filtered);
      return () => void listeners.delete(filtered);
    },
    lost,
    close: () => socket.close(),
  };
}
