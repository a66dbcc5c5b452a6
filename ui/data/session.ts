import { httpPaths } from "../../protocol/messages.js";
import { Connection } from "./connection.js";
import { createStore, receive, type Store, withStatus } from "./store.js";
import { TOKEN_HEADER } from "./token-header.js";
import { webuiPage } from "./webui.js";

/** Everything a page needs to reach the server: handed down as one property. */
export type Session = {
  /** Put before every path of the server; "" when it owns the root. */
  base: string;
  connection: Connection;
  store: Store;
  /** `fetch` of a path of the server, with what this page proves itself by. */
  fetch: (path: string, init?: { method?: string; body?: Blob }) => Promise<Response>;
};

export function createSession(base: string): Session {
  const store = createStore();
  const connection = new Connection(base, {
    onMessage: (message) => store.update((state) => receive(state, message)),
    onStatus: (status, retryAt) => store.update((state) => withStatus(state, status, retryAt)),
  });
  return {
    base,
    connection,
    store,
    fetch(path, init = {}) {
      const token = webuiPage()?.token;
      return fetch(`${base}${path}`, { ...init, headers: token === undefined ? {} : { [TOKEN_HEADER]: token } });
    },
  };
}

/** Where the server lives when the page was not told: the folder that the page itself came from, without the last slash. */
export function baseOf(address: URL): string {
  return address.pathname.replace(/\/[^/]*$/, "");
}

/** The one-time code in an address's fragment (`#code=…`), or null. */
export function codeIn(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#\/?/, "")).get("code");
}

/** Trades the one-time code for the session cookie and takes it out of the address, so that it is in no history. */
export async function exchangeCode(base: string): Promise<void> {
  const code = webuiPage() ? null : codeIn(location.hash);
  if (code === null) return;
  history.replaceState(history.state, "", `${location.pathname}${location.search}#/`);
  await fetch(`${base}${httpPaths.session}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code }),
  });
}
