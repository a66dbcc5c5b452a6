import type { IncomingMessage } from "node:http";
import { FailureError } from "../../protocol/errors.js";

/**
 * Refuses a request that a foreign web page could have made: its Host must be this server (a rebound DNS name is not), and its Origin,
 * when there is one, must be this server's own page. Throws `unauthorized`.
 */
export function checkCaller(request: IncomingMessage, port: number): void {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const { host, origin } = request.headers;
  if (host === undefined || !hosts.includes(host.toLowerCase()))
    throw new FailureError("unauthorized", `This server answers to ${hosts.join(" and ")} only, but was asked for "${host ?? ""}".`);
  if (origin !== undefined && !hosts.some((known) => origin.toLowerCase() === `http://${known}`))
    throw new FailureError("unauthorized", `Requests from the page ${origin} are not accepted; open the address that the server printed.`);
}
