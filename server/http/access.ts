import type { IncomingMessage } from "node:http";
import { FailureError } from "../../protocol/errors.js";
import { ACCESS_HEADER, Access, fullAccess } from "../../protocol/host.js";
import type { ClientMessage, ClientMessageType } from "../../protocol/messages.js";
import type { Session } from "./session.js";

/** What may be asked for by somebody who may look only; a scan writes nothing but caches. */
const LOOKING: ReadonlySet<ClientMessageType> = new Set([
  "scanDataset",
  "datasetHistory",
  "compareDataset",
  "listTaggers",
  "readScores",
  "readDisagreements",
  "plan",
  "importSettings",
  "readLog",
  "readPlan",
  "pasteText",
]);

/**
 * What the caller may do. The shim's header counts beside the bearer secret only; with a cookie it is a page of this machine's own,
 * which may do everything. A header that can't be read gives no rights.
 */
export function accessOf(request: IncomingMessage, session: Session): Access {
  const header = request.headers[ACCESS_HEADER];
  if (header === undefined || !session.hasSecret(request)) return fullAccess;
  const access = Access.safeParse(parseJson(String(header)));
  return access.success ? access.data : { level: "restricted", reason: "openToOthers", hideFolders: true };
}

/** Throws `restricted` when this caller may not ask for that. */
export function checkMessage(access: Access, message: ClientMessage): void {
  if (access.level === "restricted" && !LOOKING.has(message.type) && !isLook(message)) throw restricted();
  if (access.hideFolders && message.type === "importDataset" && !message.source.startsWith("upload:"))
    throw new FailureError(
      "restricted",
      "This WebUI hides its folders (--hide-ui-dir-config), so pictures can't be taken from a folder of its machine; upload them instead.",
    );
}

/** Tools that write no file. */
function isLook(message: ClientMessage): boolean {
  return message.type === "loraTool" && ["inspect", "compare", "verify"].includes(message.request.tool);
}

/** Throws `restricted` when this caller may only look and the request would change something. */
export function checkMethod(access: Access, method: string | undefined): void {
  if (access.level === "restricted" && method !== "GET" && method !== "HEAD") throw restricted();
}

function restricted(): FailureError {
  return new FailureError(
    "restricted",
    "This WebUI is open to others without a login, so this page may only look; start the WebUI with a login, or allow it there with --train-lora-allow-remote.",
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema's refusal says it.
    return undefined;
  }
}
