import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { ErrorCode, FailureError } from "../../protocol/errors.js";
import { askToLeave, findServer, type ServerFile } from "../http/running-server.js";
import type { HomePaths } from "../paths.js";

/** The server of a home, and how to have it leave when it was started for us. */
export type AttachedServer = {
  readonly server: ServerFile;
  readonly started: boolean;
  /** Ends a server that was started here; one that ran already is left alone. */
  leave(): Promise<void>;
};

export type AttachRequest = {
  readonly paths: HomePaths;
  /** The server's own program, in sources or bundled. */
  readonly program: string;
  /** It outlives us. */
  readonly stays: boolean;
};

/** Minutes after which a server that nobody needs ends by itself. */
const IDLE_EXIT = { staying: 480, passing: 5 };

const FirstLine = z.union([
  z.object({ port: z.int(), pid: z.int() }),
  z.object({ ok: z.literal(false), code: ErrorCode, message: z.string() }),
]);

/** Finds the running server of the home, else starts one as a process of its own. Throws what its start failed with. */
export async function attachServer({ paths, program, stays }: AttachRequest): Promise<AttachedServer> {
  const running = await findServer(paths);
  if (running !== null) return { server: running, started: false, leave: async () => undefined };
  const child = spawnServer({ paths, program, stays });
  const exited = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const first = await firstLine(child);
  // An open pipe would keep this process from ending.
  child.stdout?.destroy();
  if (first !== null && "ok" in first) throw new FailureError(first.code, first.message);
  const server = await findServer(paths);
  if (first === null || server === null)
    throw new FailureError("server_missing", `The server did not start; ${join(paths.home, "server.log")} may say why.`);
  child.unref();
  return {
    server,
    started: true,
    async leave() {
      // While we wait for its end, it must keep this process alive again.
      child.ref();
      // It may have left already, by the same Ctrl-C as this process.
      await askToLeave(server).catch(() => undefined);
      await exited;
    },
  };
}

function spawnServer({ paths, program, stays }: AttachRequest) {
  mkdirSync(paths.home, { recursive: true });
  const log = openSync(join(paths.home, "server.log"), "a");
  const minutes = String(stays ? IDLE_EXIT.staying : IDLE_EXIT.passing);
  // execArgv carries the loader that runs the sources without a build.
  const child = spawn(process.execPath, [...process.execArgv, program, "--home", paths.home, "--json", "--idle-exit", minutes], {
    stdio: ["ignore", "pipe", log],
    detached: stays,
    windowsHide: true,
  });
  closeSync(log);
  return child;
}

async function firstLine(child: ReturnType<typeof spawnServer>): Promise<z.infer<typeof FirstLine> | null> {
  if (child.stdout === null) return null;
  for await (const line of createInterface({ input: child.stdout })) return FirstLine.parse(JSON.parse(line));
  return null;
}
