import { execa } from "execa";
import { FailureError } from "../../protocol/errors.js";

const TAIL_LINES = 30;
const PROGRESS_INTERVAL_MS = 2000;
/** Lines of pip's that tell a person how far it is; the rest is only for a failure's details. */
const TELLING = /^\s*(Collecting|Downloading|Using cached|Processing|Building|Installing|Successfully|ERROR)\b/;

export type PipInstall = {
  readonly python: string;
  /** pip's arguments after `install`: packages, `-r FILE`, an index of its own. */
  readonly what: readonly string[];
  readonly onProgress: (line: string) => void;
  /** Bytes of the file that is being loaded. */
  readonly onBytes?: ((done: number, total: number) => void) | undefined;
  readonly signal: AbortSignal | undefined;
};

/**
 * `pip install` in the venv of `python`, one line of progress at a time. pip's own environment (index, proxy, find-links)
 * and configuration decide where packages come from. Throws `install_failed` or `disk_full` with the tail of pip's output.
 */
export async function pipInstall({ python, what, onProgress, onBytes, signal }: PipInstall): Promise<void> {
  const args = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", ...(await progressOption(python)), ...what];
  const pip = execa(python, args, {
    reject: false,
    all: true,
    buffer: false,
    stdin: "ignore",
    env: { ...venvEnvironment(), PYTHONUNBUFFERED: "1" },
    extendEnv: false,
    ...(signal ? { cancelSignal: signal } : {}),
  });
  const tail: string[] = [];
  const report = progressReporter(onProgress, onBytes);
  for await (const line of pip.iterable({ from: "all" })) {
    if (!report(line)) tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
  }
  const result = await pip;
  signal?.throwIfAborted();
  if (result.failed) throw installFailure(tail);
}

/** The environment for a Python of our venv: a host program's PYTHONPATH, or a user's default for other venvs, would break it. */
export function venvEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !MISLEADING.test(name)));
}

const MISLEADING = /^(PYTHONHOME|PYTHONPATH|PIP_(USER|TARGET|PREFIX|ROOT|PYTHON|CONSTRAINT|REQUIREMENT|NO_DEPS|NO_DEPENDENCIES|DRY_RUN))$/i;

async function progressOption(python: string): Promise<string[]> {
  const result = await execa(python, ["-m", "pip", "--version"], {
    reject: false,
    stdin: "ignore",
    env: venvEnvironment(),
    extendEnv: false,
  });
  const [, major = "0", minor = "0"] = /^pip (\d+)\.(\d+)/.exec(result.failed ? "" : result.stdout) ?? [];
  return Number(major) * 100 + Number(minor) >= 2401 ? ["--progress-bar", "raw"] : [];
}

// Returns whether the line was a progress figure, which is of no use in a log's tail.
function progressReporter(onProgress: PipInstall["onProgress"], onBytes: PipInstall["onBytes"]): (line: string) => boolean {
  let last = Date.now();
  let what = "";
  return (line) => {
    const [, done, total] = /^Progress (\d+) of (\d+)$/.exec(line.trim()) ?? [];
    if (done === undefined || total === undefined) {
      what = /^\s*Downloading (\S+)/.exec(line)?.[1] ?? what;
      if (TELLING.test(line)) onProgress(line.trim());
      return false;
    }
    if (Date.now() - last >= PROGRESS_INTERVAL_MS) {
      last = Date.now();
      onBytes?.(Number(done), Number(total));
      onProgress(`${what}: ${megabytes(done)} of ${megabytes(total)} MB`);
    }
    return true;
  };
}

function megabytes(bytes: string): string {
  return (Number(bytes) / 1e6).toFixed(0);
}

function installFailure(tail: readonly string[]): FailureError {
  const details = tail.join("\n");
  if (/No space left on device|Errno 28|not enough space/i.test(details))
    return new FailureError(
      "disk_full",
      "The disk is full: the trainer needs about 1.5 GB (several more with CUDA). Free some space and try again; it goes on where it stopped.",
      details,
    );
  const reason = tail
    .findLast((line) => line.startsWith("ERROR:"))
    ?.slice("ERROR:".length)
    .trim();
  return new FailureError(
    "install_failed",
    `pip could not install the trainer's packages${reason ? ` (${reason})` : ""}. Check that a package index is reachable (pip's own settings apply) and try again; it goes on where it stopped.`,
    details,
  );
}
