import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect } from "node:net";

/** The way to the internet for whoever has this port as its proxy. */
export async function openForwardProxy(port: number): Promise<{ close(): void }> {
  const server = createServer((incoming, answer) => {
    const outgoing = request(incoming.url ?? "", { method: incoming.method, headers: incoming.headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    outgoing.on("error", () => answer.destroy());
    incoming.pipe(outgoing);
  });
  server.on("connect", ({ url = "" }, socket, head) => {
    const [host = "", wanted] = url.split(":");
    const other = connect(Number(wanted), host, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      other.write(head);
      other.pipe(socket).pipe(other);
    });
    other.on("error", () => socket.destroy());
    socket.on("error", () => other.destroy());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
