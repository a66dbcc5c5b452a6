import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { checkoutRoot } from "../../server/checkout.js";
import { freePort } from "../extension/free-port.js";

/**
 * A WebUI that is already installed in SD_WEBUI_DIR, run with a data folder of its own, so that the installation stays as it is.
 * SD_WEBUI_PYTHON names its Python (default: venv/bin/python below it), SD_WEBUI_ARGS replaces the options for a machine without a GPU.
 * SD_WEBUI_DATA names a data folder that is kept: what an earlier run has installed and trained there is used again.
 */
export type RealWebui = {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly loraDir: string;
  log(): string;
  pid(): number | undefined;
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it anew on the same port and data folder; `env` is laid over its environment. */
  start(how?: { args?: readonly string[]; env?: NodeJS.ProcessEnv }): Promise<void>;
  /** The packages of its Python, one a line. */
  packages(): string;
  /** Stops it and removes the data folder. */
  leave(): Promise<void>;
};

/** What the WebUI says once its page and our routes are there. */
export const READY = /Startup time: /;

const PATIENCE_MS = 300_000;
const WITHOUT_GPU = "--use-cpu all --no-half --skip-torch-cuda-test";

/** The folder of the installation, or null when the variable is not set. */
export function webuiDir(): string | null {
  const dir = process.env.SD_WEBUI_DIR;
  if (dir === undefined || dir === "") return null;
  if (!existsSync(join(dir, "launch.py"))) throw new Error(`Expected a WebUI with its launch.py in SD_WEBUI_DIR, but ${dir} has none.`);
  return dir;
}

/** A fresh data folder that holds the pocket model with a sidecar yaml and what `prepare` puts there, and a WebUI running on it. */
export async function openRealWebui(dir: string, prepare: (dataDir: string) => void = () => undefined): Promise<RealWebui> {
  const kept = process.env.SD_WEBUI_DATA;
  const dataDir = kept ?? mkdtempSync(join(tmpdir(), "train-lora-webui-"));
  const port = await freePort();
  putPocketModel(join(dataDir, "models", "Stable-diffusion"));
  cpSync(fileURLToPath(new URL("pocket-layout/", import.meta.url)), join(dataDir, "extensions", "pocket-layout"), { recursive: true });
  prepare(dataDir);
  const logFile = join(dataDir, "webui.log");
  let child: ChildProcess | null = null;

  async function start({ args = [], env = {} }: { args?: readonly string[]; env?: NodeJS.ProcessEnv } = {}): Promise<void> {
    const before = existsSync(logFile) ? readFileSync(logFile, "utf8").length : 0;
    const log = createWriteStream(logFile, { flags: "a" });
    await once(log, "open");
    child = spawn(pythonOf(dir), optionsOf({ dir, dataDir, port }, args), {
      cwd: dir,
      env: { ...environment(), ...env },
      stdio: ["ignore", log, log],
    });
    const exited = once(child, "exit").then(() => true);
    for (const began = Date.now(); !READY.test(readFileSync(logFile, "utf8").slice(before)); ) {
      const gone = await Promise.race([exited, sleep(300).then(() => false)]);
      if (gone || Date.now() - began > PATIENCE_MS)
        throw new Error(`The WebUI did not come up: ${readFileSync(logFile, "utf8").slice(-4000)}`);
    }
  }
  async function stop(signal: NodeJS.Signals = "SIGINT"): Promise<void> {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    dataDir,
    loraDir: join(dataDir, "models", "Lora"),
    log: () => readFileSync(logFile, "utf8"),
    pid: () => child?.pid,
    start,
    stop,
    packages: () => execFileSync(pythonOf(dir), ["-m", "pip", "freeze", "--all"], { encoding: "utf8" }),
    async leave() {
      await stop("SIGKILL");
      if (kept) return;
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

function pythonOf(dir: string): string {
  return process.env.SD_WEBUI_PYTHON ?? join(dir, "venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
}

type Start = { readonly dir: string; readonly dataDir: string; readonly port: number };

function optionsOf({ dir, dataDir, port }: Start, args: readonly string[]): string[] {
  const machine = (process.env.SD_WEBUI_ARGS ?? WITHOUT_GPU).split(" ").filter((part) => part !== "");
  // gradio 4 gives out files of the data folder and of what is allowed, so Forge's own scripts and styles must be.
  const files = ["--data-dir", dataDir, "--gradio-allowed-path", dir];
  const fixed = ["--skip-prepare-environment", "--no-download-sd-model", "--api", "--loglevel", "DEBUG"];
  return ["-u", "launch.py", ...fixed, ...files, "--port", String(port), ...machine, ...args];
}

function environment(): NodeJS.ProcessEnv {
  const { COMMANDLINE_ARGS: _args, PYTHONPATH: _path, ...env } = process.env;
  // Two torch processes that spin on two cores starve each other; nothing here may ask a model hub.
  return { ...env, OMP_WAIT_POLICY: "PASSIVE", GOMP_SPINCOUNT: "0", HF_HUB_OFFLINE: "1", TRANSFORMERS_OFFLINE: "1" };
}

// The yaml's path of the text encoder's files is relative to the WebUI's folder, so a copy elsewhere gets an absolute one.
function putPocketModel(folder: string): void {
  const model = join(checkoutRoot(), "trainer-py", "pocket", "model");
  mkdirSync(folder, { recursive: true });
  cpSync(join(model, "pocket.safetensors"), join(folder, "pocket.safetensors"));
  const yaml = readFileSync(join(model, "pocket.yaml"), "utf8").replace("version: clip", `version: ${join(model, "clip")}`);
  writeFileSync(join(folder, "pocket.yaml"), yaml);
}
