import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { FailureError } from "../protocol/errors.js";
import { invokedFrom, resolveHome } from "./paths.js";
import { type RunningServer, startServer } from "./start.js";
import { failureOf } from "./trainer/failure-of.js";

const HELP = `npm start -- [--home DIR] [--lora-dir DIR] [--port N] [--json]

Starts the server of Train LoRA and prints the address of its page.

  --home DIR         keep everything in DIR (default: TRAIN_LORA_HOME, else data/ in the checkout)
  --lora-dir DIR     put finished LoRAs into DIR (default: models/Lora in the home; a connected WebUI names its own)
  --port N           listen on this port of 127.0.0.1 (default: a free one)
  --idle-exit N      leave after N minutes without work and without an open page
  --json             print one JSON line {url, port, pid} instead of a sentence

Example: npm start -- --home ~/loras --port 7861
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (typeof options === "string") return usageError(options);
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  try {
    const server = await startServer({
      home: resolveHome(options.home),
      ...(options.loraDir === undefined ? {} : { loraDir: resolve(invokedFrom(), options.loraDir) }),
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(options.idleExit === undefined ? {} : { idleExitMinutes: options.idleExit }),
    });
    closeOnSignals(server);
    const facts = { url: server.url, port: server.port, pid: process.pid };
    process.stdout.write(options.json ? `${JSON.stringify(facts)}\n` : `Train LoRA is ready: open ${server.url} (Ctrl-C ends it)\n`);
    await server.closed;
    return 0;
  } catch (error) {
    const failure = failureOf(error);
    process.stderr.write(`${failure.message} [${failure.code}]\n`);
    if (options.json) process.stdout.write(`${JSON.stringify({ ok: false, code: failure.code, message: failure.message })}\n`);
    return 1;
  }
}

type Options = {
  home: string | undefined;
  loraDir: string | undefined;
  port: number | undefined;
  idleExit: number | undefined;
  json: boolean;
  help: boolean;
};

function readOptions(args: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        home: { type: "string" },
        "lora-dir": { type: "string" },
        port: { type: "string" },
        "idle-exit": { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return {
      home: values.home,
      loraDir: values["lora-dir"],
      port: numberOption("--port", values.port, 65535),
      idleExit: numberOption("--idle-exit", values["idle-exit"], 1_000_000),
      json: values.json,
      help: values.help,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function numberOption(name: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > max)
    throw new FailureError("bad_request", `${name} wants a whole number from 0 to ${max}, but got "${text}".`);
  return value;
}

function usageError(sentence: string): number {
  process.stderr.write(`${sentence}\nSee npm start -- --help\n`);
  return 2;
}

function closeOnSignals(server: RunningServer): void {
  let asked = false;
  const leave = () => {
    // Asked twice: leave at once; the trainer sees its input close and saves by itself.
    if (asked) process.exit(1);
    asked = true;
    void server.close();
  };
  process.on("SIGINT", leave);
  process.on("SIGTERM", leave);
  if (process.platform !== "win32") process.on("SIGHUP", leave);
}
