import { execa } from "execa";
import { z } from "zod";
import { FailureError } from "../../protocol/errors.js";

/** The Pythons that the trainer's pinned packages support: [major, minor], the last one excluded. */
export const PYTHON_RANGE = { from: [3, 10], below: [3, 14] } as const;

export type Python = { readonly command: readonly [string, ...string[]]; readonly version: string };

const Probe = z.object({
  version: z.tuple([z.int(), z.int(), z.int()]),
  venv: z.boolean(),
  bits: z.int().default(64),
  machine: z.string().default(""),
});
type Probe = z.infer<typeof Probe>;

const PROBE = `
import json, platform, sys
try:
    import venv, ensurepip
    ready = True
except ImportError:
    ready = False
bits = 64 if sys.maxsize > 2**32 else 32
print(json.dumps({"version": list(sys.version_info[:3]), "venv": ready, "bits": bits, "machine": platform.machine()}))
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
    const why = whyNot(probe, process.platform);
    if (why === null) return { command, version };
    const said = `${command.join(" ")} is Python ${version}${why}`;
    if (!seen.includes(said)) seen.push(said);
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

/** Why a Python can't hold the trainer, behind its version; "" when the version says it all, null when it can. */
export function whyNot(probe: z.input<typeof Probe>, system: NodeJS.Platform): string | null {
  const { version, venv, bits, machine } = Probe.parse(probe);
  const number = version[0] * 100 + version[1];
  const [from, below] = [PYTHON_RANGE.from[0] * 100 + PYTHON_RANGE.from[1], PYTHON_RANGE.below[0] * 100 + PYTHON_RANGE.below[1]];
  if (number < from || number >= below) return "";
  if (bits === 32) return " for 32 bits, for which there is no PyTorch";
  if (system === "darwin" && machine === "x86_64") return " for Intel's processors, for which there is no new PyTorch on a Mac";
  return venv ? null : " without its venv module";
}

/** The commands that may start a fitting Python, on Windows through its `py` launcher as well. */
export function usualCommands(system: NodeJS.Platform = process.platform): (readonly [string, ...string[]])[] {
  const [major, last] = [PYTHON_RANGE.below[0], PYTHON_RANGE.below[1] - 1];
  const versions = Array.from({ length: last - PYTHON_RANGE.from[1] + 1 }, (_, index) => `${major}.${last - index}`);
  const launcher = system === "win32" ? [["py", "-3"] as const, ...versions.map((version) => ["py", `-${version}`] as const)] : [];
  return [["python3"], ["python"], ...versions.map((version) => [`python${version}`] as const), ...launcher];
}

function missingSentence(chosen: string | undefined, seen: readonly string[]): string {
  const newest = `${PYTHON_RANGE.below[0]}.${PYTHON_RANGE.below[1] - 1}`;
  const needed = `A Python from ${PYTHON_RANGE.from.join(".")} to ${newest} with its venv module is needed`;
  const found = seen.length > 0 ? `; ${seen.join(", ")}` : "; none was found on PATH";
  const advice = seen.some((line) => line.endsWith("venv module"))
    ? "Install that Python's venv package (on Debian and Ubuntu: apt install python3-venv)"
    : "Install Python";
  if (chosen)
    return `${needed}, but TRAIN_LORA_PYTHON names "${chosen}"${seen.length > 0 ? `: ${seen[0]}` : ", which is no Python that runs"}. Correct TRAIN_LORA_PYTHON or unset it, and try again.`;
  return `${needed} for the trainer${found}. ${advice} or name one in TRAIN_LORA_PYTHON, and try again.`;
}
