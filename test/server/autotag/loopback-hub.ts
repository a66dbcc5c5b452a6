import { createHash } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import { onTestFinished } from "vitest";

export type Hub = { readonly endpoint: string; readonly asked: string[] };

/** A hub on this machine with these files, by `owner/name/file`; `cut` answers end after that many bytes, one each. */
export async function openHub(files: Record<string, Buffer>, { cut = [] }: { cut?: number[] } = {}): Promise<Hub> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url?.replace("/resolve/main/", "/").slice(1) ?? "";
    const content = files[path];
    asked.push(`${request.method} ${path} ${request.headers.range ?? ""}`.trim());
    if (content === undefined) return void response.writeHead(404).end();
    const etag = `"${createHash("sha256").update(content).digest("hex")}"`;
    if (request.method === "HEAD") return void response.writeHead(200, { "content-length": content.length, etag }).end();
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    send(response, { content, start, most: cut.shift() });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the hub has no port");
  return { endpoint: `http://127.0.0.1:${address.port}`, asked };
}

function send(response: ServerResponse, { content, start, most }: { content: Buffer; start: number; most: number | undefined }): void {
  const body = content.subarray(start);
  const range = start > 0 ? { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` } : {};
  response.writeHead(start > 0 ? 206 : 200, { "content-length": body.length, ...range });
  if (most === undefined) response.end(body);
  else response.write(body.subarray(0, most), () => response.destroy());
}
