import type { RawData, WebSocket } from "ws";
import type { z } from "zod";
import { FailureError } from "../../protocol/errors.js";
import { HostMessage, type HostRequest, type HostRequestType, HostResultOf } from "../../protocol/host.js";
import { type DrawnCell, openRequests } from "./open-requests.js";

type FieldsOf<Type extends HostRequestType> = Omit<Extract<HostRequest, { type: Type }>, "id" | "type">;

export type RequestOptions = {
  /** Ends the request in the WebUI as well; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onCell?: (cell: DrawnCell) => void;
};

/** One connected shim. A request waits for its answer, its time limit, or the end of the connection, whichever is first. */
export type HostLink = {
  /** Throws what the WebUI refuses with, `webui_missing` when it goes meanwhile, `webui_failed` when it takes too long. */
  request<Type extends HostRequestType>(type: Type, fields: FieldsOf<Type>, options?: RequestOptions): Promise<HostResultOf[Type]>;
  /** Tells the shim why it is sent away. */
  close(code: number, reason: string): void;
};

/** What a shim tells without being asked. */
export type HostNews = Extract<HostMessage, { type: "hello" | "checkpoints" | "waiting" }>;

const RESULTS: { [Type in HostRequestType]: z.ZodType<HostResultOf[Type]> } = HostResultOf;

const BEAT_MS = 15_000;

/** Speaks with the shim at the other end of `socket`; `onNews` hears what it tells by itself. */
export function openHostLink(socket: WebSocket, { onNews, onLost }: { onNews: (news: HostNews) => void; onLost: () => void }): HostLink {
  const requests = openRequests(socket);

  function hear(data: RawData): void {
    const message = HostMessage.safeParse(parseJson(data));
    // A shim that speaks otherwise is of another version, and `hello` has said so.
    if (!message.success) return;
    const news = message.data;
    if (news.type === "cellDrawn") requests.cellDrawn(news.id, { file: news.file, infotext: news.infotext });
    else if (news.type === "answer") requests.settle(news.id, { value: news.value });
    else if (news.type === "refusal") {
      const { code, message: sentence, details } = news.failure;
      requests.settle(news.id, { error: new FailureError(code, sentence, details) });
    } else onNews(news);
  }

  watch(socket);
  socket.on("message", hear);
  socket.on("error", () => socket.terminate());
  socket.on("close", () => {
    requests.settleAll({ error: gone() });
    onLost();
  });

  return {
    async request(type, fields, { signal, onCell = () => undefined } = {}) {
      signal?.throwIfAborted();
      if (socket.readyState !== socket.OPEN) throw gone();
      const answer = RESULTS[type].safeParse(await requests.ask(type, fields, { signal, onCell }));
      if (answer.success) return answer.data;
      throw new FailureError(
        "webui_failed",
        `The WebUI answered "${type}" with something else than expected; restart the WebUI, so that both sides are of one version.`,
      );
    },
    close: (code, reason) => socket.close(code, reason),
  };
}

// A WebUI whose process hangs or whose machine sleeps keeps its socket open; one that hears nothing for two beats is gone.
function watch(socket: WebSocket): void {
  let heard = true;
  socket.on("pong", () => {
    heard = true;
  });
  const timer = setInterval(() => {
    if (!heard) return socket.terminate();
    heard = false;
    socket.ping();
  }, BEAT_MS);
  socket.on("close", () => clearInterval(timer));
}

function gone(): FailureError {
  return new FailureError("webui_missing", "The WebUI is not connected any more; it may be restarting. Try again in a moment.");
}

function parseJson(data: RawData): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    // No JSON is no message.
    return undefined;
  }
}
