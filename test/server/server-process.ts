import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { TempHome } from "./temp-home.js";

export type Ended = { code: number | null; stdout: string; stderr: string };

/** A server in a process of its own, as `npm start` runs it. */
export type ServerProcess = { readonly child: ChildProcess; readonly url: string; readonly port: number; readonly ended: Promise<Ended> };

/** Starts it and waits for its first line. */
export async function startServerProcess(program: string, home: TempHome, args: readonly string[] = []): Promise<ServerProcess> {
  const { child, ended } = runMain(program, home, args);
  const line = await Promise.race([firstLine(child), ended.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  const { url, port } = JSON.parse(line);
  return { child, url, port, ended };
}

/** Runs it to its end; for starts that fail. */
export function runMain(program: string, home: TempHome, args: readonly string[] = []): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [program, "--home", home.home, "--json", ...args], {
    env: home.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { child, ended: collect(child) };
}

async function collect(child: ChildProcess): Promise<Ended> {
  const texts = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => (texts.stdout += chunk));
  child.stderr?.on("data", (chunk) => (texts.stderr += chunk));
  const [code] = await once(child, "close");
  return { code, ...texts };
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = "";
  while (!text.includes("\n")) text += String((await once(child.stdout ?? child, "data"))[0]);
  return text.slice(0, text.indexOf("\n"));
}
