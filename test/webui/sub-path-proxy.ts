import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";

/** A proxy in front of a WebUI that shows it below `/<folder>`, as nginx does. */
export type SubPathProxy = { readonly url: string; close(): void };

export async function openSubPathProxy(port: number, folder: string): Promise<SubPathProxy> {
  const upstream = ({ url = "/", method, headers }: IncomingMessage) =>
    request({ host: "127.0.0.1", port, method, headers, path: url.slice(folder.length + 1) || "/" });
  const isInside = ({ url = "" }: IncomingMessage) => url.startsWith(`/${folder}/`);
  const server = createServer((incoming, answer) => {
    if (!isInside(incoming)) return void answer.writeHead(404).end();
    const outgoing = upstream(incoming);
    outgoing.on("response", (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    outgoing.on("error", () => answer.headersSent || answer.writeHead(502).end());
    incoming.pipe(outgoing);
  });
  server.on("upgrade", (incoming, socket, head) => {
    if (!isInside(incoming)) return void socket.destroy();
    const outgoing = upstream(incoming);
    outgoing.on("upgrade", (response, other) => {
      const lines = response.rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${response.rawHeaders[at + 1]}`] : []));
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
      socket.unshift(head);
      other.on("error", () => socket.destroy());
      socket.on("error", () => other.destroy());
      socket.pipe(other).pipe(socket);
    });
    outgoing.on("response", () => socket.destroy());
    outgoing.on("error", () => socket.destroy());
    outgoing.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: own } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${own}/${folder}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
