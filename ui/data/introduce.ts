import { httpPaths } from "../../protocol/messages.js";
import { TOKEN_HEADER } from "./token-header.js";
import type { TrainLoraHost } from "./webui.js";

/**
 * How the server's edge took us: in; refused (a login or another token is wanted); its server is away while the WebUI is there;
 * or nobody answers at our paths at all.
 */
export type Introduction = "in" | "refused" | "serverAway" | "away";

/** Inside the WebUI: trades the page's token for the cookie that pictures are sent with. A token of an earlier start is renewed once. */
export async function introduce(base: string, page: TrainLoraHost): Promise<Introduction> {
  const first = await post(base, page.token);
  if (first !== "refused" || !page.renewToken) return first;
  const isRenewed = await page.renewToken().catch(() => false); // no answer is no token either
  return isRenewed ? post(base, page.token) : first;
}

/** Inside the WebUI: whether WebSockets arrive there as plain requests, because a proxy in front does not pass them on. */
export async function missesUpgrade(base: string, page: TrainLoraHost): Promise<boolean> {
  try {
    return (await fetch(`${base}${httpPaths.socket}`, { headers: { [TOKEN_HEADER]: page.token } })).status === 426;
  } catch {
    return false; // nobody listens
  }
}

/** Alone: a refused WebSocket looks to the page like an absent server; a plain request tells them apart. */
export async function isRefused(base: string): Promise<boolean> {
  return (await ask(`${base}${httpPaths.report("-")}`, { method: "HEAD" })) === "refused";
}

function post(base: string, token: string): Promise<Introduction> {
  return ask(`${base}/session`, { method: "POST", headers: { [TOKEN_HEADER]: token } });
}

async function ask(address: string, init: RequestInit): Promise<Introduction> {
  try {
    const { ok, status } = await fetch(address, init);
    if (ok) return "in";
    if (status === 401 || status === 403) return "refused";
    return status === 503 ? "serverAway" : "away";
  } catch {
    return "away"; // nobody listens
  }
}
