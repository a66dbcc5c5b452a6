import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";
import { FailureError } from "../../protocol/errors.js";
import type { HomePaths } from "../paths.js";

/** `<home>/server.json`: how other programs of the same user reach the server. */
const ServerFile = z.object({ pid: z.int().positive(), port: z.int().positive(), secret: z.string().min(16) });
export type ServerFile = z.infer<typeof ServerFile>;

const ANSWER_MS = 10_000;

/** Readable for its owner only, because it holds the secret; complete at once, because a second start may read at any time. */
export async function writeServerFile(paths: HomePaths, server: ServerFile): Promise<void> {
  await mkdir(paths.home, { recursive: true });
  const draft = `${paths.serverFile}.${server.pid}.tmp`;
  await writeFile(draft, `${JSON.stringify(server)}\n`, { mode: 0o600 });
  await rename(draft, paths.serverFile);
}

/** What server.json says, whether that server still lives or not. */
export async function readServerFile(paths: HomePaths): Promise<ServerFile | null> {
  try {
    return ServerFile.parse(JSON.parse(await readFile(paths.serverFile, "utf8")));
  } catch {
    // Absent, or a leftover that no server of ours has written.
    return null;
  }
}

/** The server of this home if one answers. */
export async function findServer(paths: HomePaths): Promise<ServerFile | null> {
  const server = await readServerFile(paths);
  if (server === null) return null;
  const response = await ask(server, "GET", "/api/server").catch(() => null);
  return response?.ok ? server : null;
}

/** A fresh address that lets one browser into the running server. */
export async function newAddress(server: ServerFile): Promise<string> {
  const response = await ask(server, "POST", "/api/codes");
  if (!response.ok)
    throw new FailureError("server_missing", `The server (process ${server.pid}) gave no address; stop it and start it again.`);
  const { code } = z.object({ code: z.string() }).parse(await response.json());
  return pageAddress(server.port, code);
}

/** Asks the server to save what runs and to leave. */
export async function askToLeave(server: ServerFile): Promise<void> {
  await ask(server, "POST", "/api/shutdown");
}

/** The page's address; the code stands in the fragment, which browsers send to nobody. */
export function pageAddress(port: number, code: string): string {
  return `http://127.0.0.1:${port}/#code=${code}`;
}

function ask({ port, secret }: ServerFile, method: "GET" | "POST", path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { authorization: `Bearer ${secret}` },
    signal: AbortSignal.timeout(ANSWER_MS),
  });
}
