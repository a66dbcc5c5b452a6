import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { z } from "zod";
import type { RealWebui } from "./real-webui.js";
import { eventsOfType } from "./runs.js";

const Server = z.object({ pid: z.int(), port: z.int(), secret: z.string() });

/** The server of this WebUI as its file tells, whether it still lives or not. */
export function serverOf(webui: RealWebui): z.infer<typeof Server> {
  return Server.parse(JSON.parse(readFileSync(serverFile(webui), "utf8")));
}

/** The process that trains a run, as it said itself when it began the last time. */
export function trainerOf(webui: RealWebui, run: string): number {
  const last = eventsOfType(webui, run, "started").at(-1);
  if (last === undefined) throw new Error("The trainer has not started yet.");
  return last.pid;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Ends the server as its owner would; a run that goes on saves its state first. */
export async function endServer(webui: RealWebui): Promise<void> {
  // A server that has left by itself has taken its file along.
  if (!existsSync(serverFile(webui))) return;
  const { pid } = serverOf(webui);
  if (!isAlive(pid)) return;
  process.kill(pid, "SIGTERM");
  await vi.waitUntil(() => !isAlive(pid), { timeout: 30_000 });
}

function serverFile({ dataDir }: RealWebui): string {
  return join(dataDir, "train-lora", "server.json");
}
