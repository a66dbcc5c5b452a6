import type { AppState } from "./store.js";

/** True when this page may start, change and delete; the server refuses it otherwise. */
export function mayChange(state: AppState): boolean {
  return state.snapshot?.access.level !== "restricted";
}

/** True when no folder of the server's machine may be named or asked for. */
export function hidesFolders(state: AppState): boolean {
  return state.snapshot?.access.hideFolders === true;
}
