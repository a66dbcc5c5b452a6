import { execa } from "execa";
import { z } from "zod";
import { FailureError } from "../../protocol/errors.js";

/** The Pythons that the trainer's pinned packages support: [major, minor], the last one excluded. */
export const PYTHON_RANGE = { from: [3, 10], below: [3, 15] } as const;

export type Python = { readonly command: readonly [string, ...string[]]; readonly version: string };

const Probe = z.object({ version: z.tuple([z.int(), z.int(), z.int()]), venv: z.boolean() });
type Probe = z.infer<typeof Probe>;

const PROBE = `
import json, sys
try:
    import venv, ensurepip
    ready = True
except ImportError:
    ready = False
print(json.dumps({"version": list(sys.version_info[:3]), "venv": ready}))
`;

/**
 * A Python that can make the trainer's venv. TRAIN_LORA_PYTHON, when set, is the only candidate: a choice that does not work is said,
 * not replaced. Throws `program_missing` with the versions that were found instead.
 */
export async function findPython(env: NodeJS.ProcessEnv = process.env): Promise<Python> {
  const chosen = env.TRAIN_LORA_PYTHON;
  const candidates = chosen ? [[chosen] as const] : usualCommands();
  const seen: string[] = [];
  for (const command of candidates) {
    const probe = await probePython(command, env);
    if (probe === null) continue;
    const version = probe.version.join(".");
    if (!isSupported(probe)) seen.push(`${command.join(" ")} is Python ${version}`);
    else if (!probe.venv) seen.push(`${command.join(" ")} is Python ${version} without its venv module`);
    else return { command, version };
  }
  throw new FailureError("program_missing", missingSentence(chosen, seen));
}

async function probePython(command: readonly [string, ...string[]], env: NodeJS.ProcessEnv): Promise<Probe | null> {
  const [file, ...args] = command;
  const result = await execa(file, [...args, "-c", PROBE], { reject: false, timeout: 20_000, stdin: "ignore", env, extendEnv: false });
  if (result.failed) return null;
  const lastLine = result.stdout.trim().split("\n").at(-1) ?? "";
  try {
    return Probe.parse(JSON.parse(lastLine));
  } catch {
    // Whatever answers to the name `python` with something else is no Python that we can use.
    return null;
  }
}

function isSupported({ version: [major, minor] }: Probe): boolean {
  const number = major * 100 + minor;
  const [from, below] = [PYTHON_RANGE.from, PYTHON_RANGE.below].map(([a, b]) => a * 100 + b);
  return from !== undefined && below !== undefined && number >= from && number < below;
}

function usualCommands(): (readonly [string, ...string[]])[] {
  const minors = Array.from({ length: PYTHON_RANGE.below[1] - PYTHON_RANGE.from[1] }, (_, index) => PYTHON_RANGE.below[1] - 1 - index);
  return [["python3"], ["python"], ["py", "-3"], ...minors.map((minor) => [`python3.${minor}`] as const)];
}

function missingSentence(chosen: string | undefined, seen: readonly string[]): string {
  const needed = `Python ${PYTHON_RANGE.from.join(".")} or newer (below ${PYTHON_RANGE.below.join(".")}) with its venv module is needed`;
  const found = seen.length > 0 ? `; ${seen.join(", ")}` : "; none was found on PATH";
  const advice = seen.some((line) => line.endsWith("venv module"))
    ? "Install that Python's venv package (on Debian and Ubuntu: apt install python3-venv)"
    : "Install Python";
  if (chosen)
    return `${needed}, but TRAIN_LORA_PYTHON names "${chosen}"${seen.length > 0 ? `: ${seen[0]}` : ", which is no Python that runs"}. Correct TRAIN_LORA_PYTHON or unset it, and try again.`;
  return `${needed} for the trainer${found}. ${advice} or name one in TRAIN_LORA_PYTHON, and try again.`;
}
