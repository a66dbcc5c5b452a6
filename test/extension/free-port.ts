import { once } from "node:events";
import { createServer } from "node:net";

// Below the ports that systems give to outgoing connections, which could take one before a slow program listens on it.
const FIRST = 20_000;
const PORTS = 10_000;
const TRIES = 50;

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const port = FIRST + Math.floor(Math.random() * PORTS);
    if (await isFree(port)) return port;
  }
  throw new Error(`Expected a free port from ${FIRST} to ${FIRST + PORTS - 1}, but ${TRIES} of them are taken.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
