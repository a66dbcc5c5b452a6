import { readPreference, writePreference } from "./preferences.js";
import { webuiPage } from "./webui.js";

const KEY = "train-lora:address";

/** What our addresses begin with: alone the page owns its hash, inside the WebUI other extensions write there too. */
export function addressRoot(): "#/" | "#train-lora/" {
  return webuiPage() ? "#train-lora/" : "#/";
}

/** The hash that says where we are: the browser's, or the kept one while somebody else's hash stands there. */
export function ownHash(): string {
  return isOwn(location.hash) ? location.hash : (readPreference(KEY) ?? addressRoot());
}

export function isOwn(hash: string): boolean {
  return addressRoot() === "#/" || hash.startsWith(addressRoot());
}

/** Our tab came to the front: a hash that nobody uses tells our place again. Alone there is nothing to do. */
export function showAddress(): void {
  if (!isOwn(location.hash) && location.hash === "") replaceHash(ownHash());
}

/** Our tab went to the back: the place is kept and the hash given free, so that a reload opens the tab that is in sight. */
export function hideAddress(): void {
  if (addressRoot() === "#/" || !isOwn(location.hash)) return;
  keepAddress();
  replaceHash("");
}

/** Keeps the place for the next time the WebUI's page is loaded. */
export function keepAddress(): void {
  if (addressRoot() !== "#/" && isOwn(location.hash)) writePreference(KEY, location.hash);
}

function replaceHash(hash: string): void {
  history.replaceState(history.state, "", `${location.pathname}${location.search}${hash}`);
}
