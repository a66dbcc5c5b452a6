import { WebSocket } from "ws";

/** `ws` behaving as a browser's WebSocket does: a failed connection is told by `close` alone and throws nothing. */
export class BrowserSocket extends WebSocket {
  constructor(address: string, protocols: string[]) {
    super(address, protocols);
    this.on("error", () => undefined);
  }
}
