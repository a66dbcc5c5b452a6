import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { FailureError } from "../../protocol/errors.js";

/** Holds the pid of the run's newest trainer. */
export const PID_FILE = "trainer.pid";

const POLL_MS = 200;
const PATIENCE_MS = 10 * 60_000;

/**
 * A killed server's trainer sees its stdin close, saves its state and leaves; two trainers must not work on one run, so the next start
 * waits for it. It is never ended from here: this process has not started it.
 */
export async function waitForFormerTrainer(runDir: string, onProgress: (line: string) => void, signal: AbortSignal): Promise<void> {
  const pid = Number(await readFile(join(runDir, PID_FILE), "utf8").catch(() => ""));
  if (!Number.isInteger(pid) || pid <= 0) return;
  const began = Date.now();
  for (let told = false; await worksOn(pid, runDir); told = true) {
    if (!told) onProgress(`Waiting until the run's former trainer (process ${pid}) has saved its state …`);
    if (Date.now() - began > PATIENCE_MS)
      throw new FailureError(
        "crashed",
        `The run's former trainer (process ${pid}) still runs after ten minutes. End that process and resume the run; it goes on from its last saved state.`,
      );
    await sleep(POLL_MS, undefined, { signal });
  }
}

// The number alone proves nothing, because the system gives numbers again; the command line names the run's folder.
async function worksOn(pid: number, runDir: string): Promise<boolean> {
  return (await commandLine(pid)).includes(runDir);
}

async function commandLine(pid: number): Promise<string> {
  // A zombie's command line is empty, which is right: it does nothing any more.
  if (process.platform === "linux") return (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ");
  const [program, ...args] =
    process.platform === "win32"
      ? ["powershell", "-NoProfile", "-Command", `(Get-CimInstance Win32_Process -Filter 'ProcessId=${pid}').CommandLine`]
      : ["ps", "-o", "command=", "-p", String(pid)];
  const result = await execa(program ?? "ps", args, { reject: false, stdin: "ignore" });
  return result.failed ? "" : result.stdout;
}
