import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { TrainerCommand, TrainerEvent } from "../../protocol/trainer.js";
import { venvEnvironment } from "./pip.js";
import { trainerFolder } from "./venv.js";

/** How the process ended, whatever it had said. */
export type TrainerExit = { readonly code: number | null; readonly signal: string | null; readonly notStarted: string | null };

/** A running `python -m trainer …` with its pipes. */
export type TrainerProcess = {
  readonly pid: number | undefined;
  send(command: TrainerCommand): void;
  /** Means `pause` to the trainer, and is what it sees when this process dies. */
  closeInput(): void;
  /** Ends the process and all its children at once; what it did since its last saved state is lost. */
  kill(): void;
  /** Settles after the last event was handed over; rejects with what `onEvent` threw. */
  readonly exited: Promise<TrainerExit>;
};

/**
 * Starts `python -m trainer ARGS`. Events arrive one by one in order; a line of stdout that is no event goes to the log with a warning.
 * The log file gets stderr directly, so it is complete even when this process is killed.
 */
export function startTrainerProcess({
  python,
  args,
  logFile,
  onEvent,
}: {
  python: string;
  args: readonly string[];
  logFile: string;
  onEvent: (event: TrainerEvent) => void;
}): TrainerProcess {
  const log = openSync(logFile, "a");
  // Not execa: it pipes stderr through this process, and a trainer that outlives a killed server must still be able to write its log.
  const child = spawn(python, ["-u", "-m", "trainer", ...args], {
    cwd: trainerFolder(),
    env: trainerEnvironment(),
    stdio: ["pipe", "pipe", log],
    // A group of its own, because a launcher's grandchildren outlive a kill of the child alone.
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  closeSync(log);
  const stdin = pipeOf(child.stdin);
  const stdout = pipeOf(child.stdout);
  // The trainer may be gone before it reads a command; its exit says so.
  stdin.on("error", () => undefined);
  const ended = exitOf(child);

  async function follow(): Promise<TrainerExit> {
    let thrown: { error: unknown } | undefined;
    for await (const line of createInterface({ input: stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
      const event = parseEvent(line);
      if (event === null) appendFileSync(logFile, `warning: the trainer wrote a line that is no event: ${line.slice(0, 500)}\n`);
      else
        thrown ??= attempt(
          () => onEvent(event),
          () => stdin.end(),
        );
    }
    const exit = await ended;
    if (thrown !== undefined) throw thrown.error;
    return exit;
  }

  return {
    pid: child.pid,
    send: (command) => void stdin.write(`${JSON.stringify(TrainerCommand.parse(command))}\n`),
    closeInput: () => void stdin.end(),
    kill: () => killGroup(child.pid),
    exited: follow(),
  };
}

/** Environment of every trainer: our package, never a network hub, and threads that sleep instead of spinning between steps. */
export function trainerEnvironment(): NodeJS.ProcessEnv {
  return {
    ...venvEnvironment(),
    PYTHONPATH: trainerFolder(),
    PYTHONUTF8: "1",
    HF_HUB_OFFLINE: "1",
    TRANSFORMERS_OFFLINE: "1",
    OMP_WAIT_POLICY: "PASSIVE",
    GOMP_SPINCOUNT: process.env.GOMP_SPINCOUNT ?? "0",
  };
}

// Node's types can't tell that "pipe" gives a pipe when stderr is a file.
function pipeOf<Stream>(stream: Stream | null): Stream {
  if (stream === null) throw new Error("A child that was spawned with pipes has none.");
  return stream;
}

async function exitOf(child: ChildProcess): Promise<TrainerExit> {
  try {
    const [code, signal]: (number | string | null)[] = await once(child, "close");
    return { code: typeof code === "number" ? code : null, signal: typeof signal === "string" ? signal : null, notStarted: null };
  } catch (error) {
    return { code: null, signal: null, notStarted: error instanceof Error ? error.message : String(error) };
  }
}

function parseEvent(line: string): TrainerEvent | null {
  try {
    return TrainerEvent.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

// A handler that fails (a full disk under the store) must not leave the trainer running unheard: it is asked to save and leave.
function attempt(act: () => void, onError: () => void): { error: unknown } | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    onError();
    return { error };
  }
}

/** Ends a process that was started as the head of a group, with all its children. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    if (process.platform === "win32") spawn("taskkill", ["/pid", String(pid), "/T", "/F"], { stdio: "ignore" });
    else process.kill(-pid, "SIGKILL");
  } catch {
    // ESRCH: it has gone by itself in the meantime.
  }
}
