import { once } from "node:events";
import { WebSocket } from "ws";
import type { z } from "zod";
import { FailureError } from "../../../protocol/errors.js";
import { ACCESS_HEADER, type Access, type HostState } from "../../../protocol/host.js";
import { applyEvent, type Job, type JobEvent } from "../../../protocol/job.js";
import { type ClientMessage, ServerMessage, type Snapshot } from "../../../protocol/messages.js";
import type { ServerFile } from "../../../server/http/running-server.js";

type Request = ClientMessage extends infer Message ? (Message extends ClientMessage ? Omit<Message, "id"> : never) : never;

/** A page over a real socket, as the shim passes it on: everything that it was told, and the fold of it. */
export type TestPage = {
  readonly snapshot: Snapshot;
  readonly messages: ServerMessage[];
  host(): HostState | null;
  job(id: string): Job | undefined;
  events(id: string): JobEvent[];
  request<Result>(message: Request, result: z.ZodType<Result>): Promise<Result>;
  close(): Promise<void>;
};

export async function openPage({ port, secret }: Pick<ServerFile, "port" | "secret">, access?: Access): Promise<TestPage> {
  const headers = { authorization: `Bearer ${secret}`, ...(access && { [ACCESS_HEADER]: JSON.stringify(access) }) };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers });
  const messages: ServerMessage[] = [];
  socket.on("message", (data) => messages.push(ServerMessage.parse(JSON.parse(String(data)))));
  while (!messages.some(({ type }) => type === "snapshot")) await once(socket, "message");
  const first = messages.find((message) => message.type === "snapshot");
  if (first === undefined) throw new Error("no snapshot");
  const { snapshot } = first;
  let lastId = 0;

  function job(id: string): Job | undefined {
    const known = [...snapshot.jobs, ...messages.flatMap((message) => (message.type === "jobAdded" ? [message.job] : []))];
    const start = known.find((found) => found.id === id);
    return start && events(id).reduce(applyEvent, start);
  }

  function events(id: string): JobEvent[] {
    return messages.flatMap((message) => (message.type === "jobEvent" && message.job === id ? [message.event] : []));
  }

  return {
    snapshot,
    messages,
    job,
    events,
    host: () => messages.reduce<HostState | null>((host, message) => (message.type === "host" ? message.host : host), snapshot.host),
    async request(message, result) {
      lastId += 1;
      const id = lastId;
      socket.send(JSON.stringify({ ...message, id }));
      for (;;) {
        const answer = messages.find((found) => (found.type === "result" || found.type === "failure") && found.id === id);
        if (answer?.type === "result") return result.parse(answer.value);
        if (answer?.type === "failure") throw new FailureError(answer.failure.code, answer.failure.message, answer.failure.details);
        await once(socket, "message");
      }
    },
    async close() {
      socket.close();
      await once(socket, "close");
    },
  };
}
