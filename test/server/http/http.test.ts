import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { httpPaths, ResultOf } from "../../../protocol/messages.js";
import { newAddress } from "../../../server/http/running-server.js";
import { type MossServer, openMossServer } from "../test-server.js";

let moss: MossServer;

beforeAll(async () => {
  moss = await openMossServer();
});
afterAll(() => moss?.close());

type Answer = { status: number; headers: Record<string, string | string[] | undefined>; body: string };

/** Unlike fetch, sends any Host and any path as they are. */
function ask(
  path: string,
  {
    method = "GET",
    headers = {},
    body,
    secret = true,
  }: { method?: string; headers?: Record<string, string>; body?: string | Buffer; secret?: boolean } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const authorization = secret ? { authorization: `Bearer ${moss.server.secret}` } : {};
    const call = request(
      { host: "127.0.0.1", port: moss.server.port, path, method, headers: { ...authorization, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString("latin1") }),
        );
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}

const codeOf = (answer: Answer) => JSON.parse(answer.body).code;

describe("who is let in", () => {
  test("nobody without the secret", async () => {
    for (const path of ["/api/server", "/api/datasets/moss/images/0.png", "/api/nothing"]) {
      const answer = await ask(path, { secret: false });
      expect([path, answer.status, codeOf(answer)]).toEqual([path, 401, "unauthorized"]);
    }
    expect((await ask("/api/server", { secret: false, headers: { authorization: "Bearer wrong" } })).status).toBe(401);
    expect((await ask("/api/server")).status).toBe(200);
  });

  test("a page by a one-time code, once", async () => {
    const code = new URL(await newAddress(moss.server)).hash.replace("#code=", "");
    const enter = () =>
      ask(httpPaths.session, {
        method: "POST",
        secret: false,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ code }),
      });
    const first = await enter();
    expect(first.status).toBe(204);
    const [cookie = ""] = [first.headers["set-cookie"]].flat();
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict$/);
    expect((await enter()).status).toBe(401);
    const withCookie = (value: string) => ask("/api/server", { secret: false, headers: { cookie: value } });
    expect((await withCookie(cookie.split(";")[0] ?? "")).status).toBe(200);
    expect((await withCookie(`train-lora-${moss.server.port}=made-up`)).status).toBe(401);
  });

  test("no wrong, empty or malformed code", async () => {
    for (const body of ['{"code":"guess"}', '{"code":""}', "{}", "[]", "not json", ""]) {
      const answer = await ask(httpPaths.session, { method: "POST", secret: false, headers: { "content-type": "application/json" }, body });
      expect(answer.status, body).toBeGreaterThanOrEqual(400);
      expect(answer.status, body).toBeLessThan(500);
      expect(JSON.parse(answer.body).message).toBeTruthy();
    }
  });

  test("no foreign host name and no foreign page, even with the secret", async () => {
    for (const host of ["evil.example", `evil.example:${moss.server.port}`, "127.0.0.1:1", `0.0.0.0:${moss.server.port}`])
      expect((await ask("/", { headers: { host } })).status, host).toBe(401);
    for (const origin of ["http://evil.example", "null", `https://127.0.0.1:${moss.server.port}`, "http://127.0.0.1:1"])
      expect((await ask("/api/server", { headers: { origin } })).status, origin).toBe(401);
    expect(
      (await ask("/api/server", { headers: { host: `localhost:${moss.server.port}`, origin: `http://localhost:${moss.server.port}` } }))
        .status,
    ).toBe(200);
  });

  test("the socket asks for the same", async () => {
    const open = (headers: Record<string, string>, path = "/ws") =>
      new Promise<number>((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${moss.server.port}${path}`, { headers });
        socket.on("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
        socket.on("error", () => undefined);
        socket.on("open", () => {
          socket.close();
          resolve(101);
        });
      });
    const authorization = `Bearer ${moss.server.secret}`;
    expect(await open({})).toBe(401);
    expect(await open({ authorization: "Bearer wrong" })).toBe(401);
    expect(await open({ authorization, origin: "http://evil.example" })).toBe(401);
    expect(await open({ authorization, host: "evil.example" })).toBe(401);
    expect(await open({ authorization }, "/other")).toBe(404);
    expect(await open({ authorization, origin: `http://127.0.0.1:${moss.server.port}` })).toBe(101);
  });
});

describe("files", () => {
  let image = "";
  beforeAll(async () => {
    const dataset = await moss.connection.request({ type: "scanDataset", dataset: "moss" }, ResultOf.scanDataset);
    image = dataset.images[0]?.id ?? "";
    await mkdir(join(moss.home.datasetsDir, "moss", ".originals"), { recursive: true });
    await writeFile(join(moss.home.datasetsDir, "moss", ".originals", "secret.png"), "secret");
    await writeFile(join(moss.home.datasetsDir, "moss", "notes.html"), "<script>");
  });

  test("a picture comes whole, and as a thumbnail of the wanted side", async () => {
    const whole = await ask(httpPaths.image("moss", image));
    expect(whole).toMatchObject({ status: 200, headers: { "content-type": "image/png", "x-content-type-options": "nosniff" } });
    const small = await ask(httpPaths.image("moss", image, 96));
    expect(small).toMatchObject({ status: 200, headers: { "content-type": "image/webp" } });
    expect(small.body.slice(8, 12)).toBe("WEBP");
    const again = await ask(httpPaths.image("moss", image, 96), { headers: { "if-none-match": String(small.headers.etag) } });
    expect(again.status).toBe(304);
  });

  test("a size that is none is refused", async () => {
    for (const size of ["0", "-1", "1e9", "abc", "99999", "1.5"])
      expect((await ask(`${httpPaths.image("moss", image)}?size=${size}`)).status, size).toBe(400);
  });

  test("nothing outside a data set's pictures can be reached", async () => {
    const outside = [
      "/api/datasets/moss/images/../../../moss.server.json",
      "/api/datasets/moss/images/..%2f..%2f..%2fserver.json",
      "/api/datasets/moss/images/%2e%2e/%2e%2e/%2e%2e/moss.server.json",
      "/api/datasets/moss/images/..%5c..%5cserver.json",
      "/api/datasets/moss/images/%2fetc%2fpasswd",
      "/api/datasets/moss/images/.originals/secret.png",
      "/api/datasets/moss/images/.train-lora.json",
      "/api/datasets/moss/images/notes.html",
      "/api/datasets/..%2fdatasets%2fmoss/images/0.png",
      "/api/datasets/%2e%2e/images/moss.server.json",
      "/api/datasets/moss/images/a%00.png",
      "/api/jobs/..%2f../grid/x.png",
      "/api/jobs/none/report",
      "/api/loras/..%2f..%2fserver.json/inspect",
      "/..%2fpackage.json",
      "/../package.json",
    ];
    for (const path of outside) {
      const answer = await ask(path);
      expect(answer.status, path).toBeGreaterThanOrEqual(400);
      expect(answer.status, path).toBeLessThan(500);
      expect(answer.body, path).not.toContain(moss.server.secret);
      expect(Object.keys(JSON.parse(answer.body)), path).toEqual(expect.arrayContaining(["code", "message"]));
    }
  });

  test("a malformed address is told without a stack", async () => {
    const answer = await ask("/api/datasets/%E0%A4%A/images/x.png");
    expect(answer.status).toBe(400);
    expect(answer.body).not.toContain("at ");
  });

  test("an upload arrives as files below its id, and nowhere else", async () => {
    const png = await readFile(join(moss.home.home, "pictures", "0.png"));
    expect((await ask(httpPaths.upload("up-1", "a b.png"), { method: "PUT", body: png })).status).toBe(201);
    expect((await ask(httpPaths.upload("up-1", "10_moss/c.png"), { method: "PUT", body: png })).status).toBe(201);
    for (const path of [
      "/api/uploads/up-1/..%2fx.png",
      "/api/uploads/..%2fup/x.png",
      "/api/uploads/up-1/.hidden",
      "/api/uploads/up-1/a%5cb.png",
      "/api/uploads/up-1/a%2f%2fb.png",
    ])
      expect((await ask(path, { method: "PUT", body: "x" })).status, path).toBe(400);
    expect(existsSync(join(moss.home.uploadsDir, "up-1", "10_moss", "c.png"))).toBe(true);
    const report = await moss.connection.request({ type: "importDataset", source: "upload:up-1", name: "sent" }, ResultOf.importDataset);
    expect(report.images).toBe(2);
    expect(existsSync(join(moss.home.uploadsDir, "up-1"))).toBe(false);
  });

  test("an upload that breaks goes on from what has arrived, and a gap is refused", async () => {
    const url = httpPaths.upload("up-2", "10_moss/long.png");
    const png = await readFile(join(moss.home.home, "pictures", "0.png"));
    const send = (from: number, to: number) =>
      ask(`${url}?offset=${from}&size=${png.length}`, { method: "PUT", body: png.subarray(from, to) });
    expect((await send(0, 40)).status).toBe(201);
    expect(JSON.parse((await ask(url)).body)).toEqual({ bytes: 40 });
    const gap = await send(50, png.length);
    expect(gap.status).toBe(400);
    expect(gap.body).toContain("from 40 on");
    const file = join(moss.home.uploadsDir, "up-2", "10_moss", "long.png");
    expect(existsSync(file)).toBe(false);
    expect((await send(40, png.length)).status).toBe(201);
    expect(await readFile(file)).toEqual(png);
    expect(JSON.parse((await ask(url)).body)).toEqual({ bytes: png.length });
    const tooMuch = await ask(`${httpPaths.upload("up-2", "x.png")}?offset=0&size=3`, { method: "PUT", body: png });
    expect(tooMuch.status).toBe(400);
  });

  test("the page may load nothing foreign", async () => {
    const policy = String((await ask("/", { secret: false })).headers["content-security-policy"]);
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
  });
});
