import { spawn } from "node:child_process";
import { once } from "node:events";
import { trainLora } from "../../server/cli/train-lora.js";

export type CliResult = { code: number | null; stdout: string; stderr: string };

/** Runs `train-lora ARGS` to its end. `onLine` sees stdout as it comes. */
export async function runCli(
  program: string,
  args: readonly string[],
  {
    env,
    stdin = "",
    cwd,
    onLine,
  }: {
    env?: NodeJS.ProcessEnv;
    stdin?: string;
    cwd?: string;
    onLine?: (line: string, kill: (signal: NodeJS.Signals) => void) => void;
  } = {},
): Promise<CliResult> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["pipe", "pipe", "pipe"], ...(env && { env }), ...(cwd && { cwd }) });
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  const texts = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    texts.stdout += chunk;
    for (const line of String(chunk).split("\n")) if (line) onLine?.(line, (signal) => child.kill(signal));
  });
  child.stderr.on("data", (chunk) => (texts.stderr += chunk));
  const [code] = await once(child, "close");
  return { code, ...texts };
}

/** The same command line within this process, for what needs no process of its own. */
export async function callCli(args: readonly string[], stdin = ""): Promise<CliResult> {
  const json = args.includes("--json");
  let [stdout, stderr] = ["", ""];
  const line = (text: string) => (text.endsWith("\n") ? text : `${text}\n`);
  const code = await trainLora(args, {
    json,
    terminal: false,
    result: (value, text) => (stdout += line(json ? JSON.stringify(value) : text)),
    text: (text) => (stdout += line(text)),
    note: (text) => (stderr += line(text)),
    progress: (text) => (stderr += text),
    failure({ code: failureCode, message, details }) {
      stderr += line(`${message} [${failureCode}]\n${details ?? ""}`);
      if (json) stdout += line(JSON.stringify({ ok: false, code: failureCode, message }));
    },
    input: async () => stdin,
  });
  return { code, stdout, stderr };
}

/** The last line of stdout as JSON. */
export function lastJson({ stdout }: CliResult): Record<string, unknown> {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
}
