import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { venvEnvironment } from "../pip.js";
import { killGroup, type TrainerExit } from "../trainer-process.js";
import type { SdScripts } from "./sd-scripts.js";

export type SdScriptsProcess = {
  readonly pid: number | undefined;
  /** Ends it and all its children at once: it has no other way to be stopped. */
  kill(): void;
  /** Settles after its last words were handed over; rejects with what `onText` threw. */
  readonly exited: Promise<TrainerExit>;
};

/**
 * Starts `accelerate launch SCRIPT --config_file CONFIG` as one process on one machine, whatever the user's accelerate is set to,
 * because the plan counts the steps of one. Each line and each state of a progress bar goes to `onText`, everything to the log.
 * When this process dies, sd-scripts meets a closed pipe at its next word and ends.
 */
export function startSdScriptsProcess({
  sdScripts: { dir, python },
  script,
  config,
  precision,
  logFile,
  onText,
}: {
  sdScripts: SdScripts;
  script: string;
  config: string;
  precision: string;
  logFile: string;
  onText: (text: string) => void;
}): SdScriptsProcess {
  const launch = ["--num_processes", "1", "--num_machines", "1", "--dynamo_backend", "no", "--mixed_precision", precision];
  const child = spawn(python, ["-u", "-m", "accelerate.commands.launch", ...launch, ...threads(), script, "--config_file", config], {
    cwd: dir,
    env: { ...venvEnvironment(), ...ENVIRONMENT },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, because the launcher's child outlives a kill of the launcher.
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  const log = createWriteStream(logFile, { flags: "a" });
  let thrown: { error: unknown } | undefined;
  const hear = (text: string) => {
    try {
      onText(text);
    } catch (error) {
      thrown ??= { error };
      killGroup(child.pid);
    }
  };
  for (const stream of [child.stdout, child.stderr]) follow(stream, { log: (text) => log.write(text), hear });

  async function exited(): Promise<TrainerExit> {
    const exit = await exitOf(child);
    await new Promise((resolve) => log.end(resolve));
    if (thrown !== undefined) throw thrown.error;
    return exit;
  }
  log.on("error", (error) => (thrown ??= { error }));
  return { pid: child.pid, kill: () => killGroup(child.pid), exited: exited() };
}

/** Words as UTF-8 and at once, lines that no terminal's width breaks, and threads that sleep instead of spinning. */
const ENVIRONMENT: NodeJS.ProcessEnv = {
  PYTHONUTF8: "1",
  PYTHONUNBUFFERED: "1",
  COLUMNS: "500",
  NO_COLOR: "1",
  TERM: "dumb",
  OMP_WAIT_POLICY: "PASSIVE",
  GOMP_SPINCOUNT: process.env.GOMP_SPINCOUNT ?? "0",
};

/** accelerate sets one thread unless it is told, which would leave a CPU's other cores idle. */
function threads(): string[] {
  const named = Number(process.env.OMP_NUM_THREADS);
  return Number.isInteger(named) && named > 0 ? ["--num_cpu_threads_per_process", String(named)] : ["--num_cpu_threads_per_process", "2"];
}

function follow(stream: NodeJS.ReadableStream, { log, hear }: { log: (text: string) => void; hear: (text: string) => void }): void {
  const decoder = new StringDecoder("utf8");
  let [rest, early] = ["", ""];
  const say = (text: string) => {
    if (text.trim() !== "" && text !== early) hear(text);
    early = "";
  };
  stream.on("data", (chunk: Buffer) => {
    const pieces = (rest + decoder.write(chunk)).split(/(\r\n|\n|\r)/);
    rest = pieces.pop() ?? "";
    for (let at = 0; at < pieces.length; at += 2) {
      const piece = pieces[at] ?? "";
      // A bar's states would make a log of megabytes; only its last one before a line's end is kept.
      if (pieces[at + 1] !== "\r") log(`${piece}\n`);
      say(piece);
    }
    // A bar draws over itself and ends its state with nothing, so that a whole one is told before the next arrives.
    if (rest !== early && BAR.test(rest)) {
      say(rest);
      early = rest;
    }
  });
  stream.on("end", () => {
    if (rest.trim() !== "") log(`${rest}\n`);
    say(rest);
  });
}

const BAR = /\d+%\|.*\|\s*\d+\/\d+\s*\[[^\]]*\]\s*$/;

async function exitOf(child: ReturnType<typeof spawn>): Promise<TrainerExit> {
  try {
    const [code, signal]: (number | string | null)[] = await once(child, "close");
    return { code: typeof code === "number" ? code : null, signal: typeof signal === "string" ? signal : null, notStarted: null };
  } catch (error) {
    return { code: null, signal: null, notStarted: error instanceof Error ? error.message : String(error) };
  }
}
