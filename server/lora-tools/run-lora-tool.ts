import { execa } from "execa";
import { Failure, FailureError } from "../../protocol/errors.js";
import { type LoraTool, LoraToolResult } from "../../protocol/lora-tools.js";
import type { HomePaths } from "../paths.js";
import { trainerEnvironment } from "../trainer/trainer-process.js";
import { ensureTrainer, trainerFolder } from "../trainer/venv.js";
import { blendedEpochs } from "./blended-epochs.js";

/**
 * Lets the trainer do what `request` asks for, in which files are paths. Throws what the trainer says went wrong, and
 * `install_failed` where there is no trainer yet and none can be made.
 */
export async function runLoraTool(
  paths: HomePaths,
  request: LoraTool,
  onProgress: (line: string) => void = () => undefined,
): Promise<LoraToolResult> {
  const { python } = await ensureTrainer(paths, { onProgress });
  const asked = request.tool === "blend" ? await blendedEpochs(request) : request;
  const child = await execa(python, ["-m", "trainer", "lora", "-"], {
    cwd: trainerFolder(),
    env: trainerEnvironment(),
    extendEnv: false,
    reject: false,
    input: JSON.stringify(asked),
    maxBuffer: MOST_OUTPUT,
  });
  const value = parseJson(child.stdout);
  const result = LoraToolResult.safeParse(typeof value === "object" && value !== null ? { ...value, tool: asked.tool } : undefined);
  if (!child.failed && result.success) return result.data;
  const failure = Failure.safeParse(value);
  if (failure.success) throw new FailureError(failure.data.code, failure.data.message, failure.data.details);
  const details = child.stderr.slice(-DETAILS);
  throw new FailureError(
    "crashed",
    "The trainer ended without an answer about the LoRA; the end of what it said is in the details.",
    details,
  );
}

/** The ranks of SDXL's thousand layers are some hundred kilobytes. */
const MOST_OUTPUT = 64 << 20;
const DETAILS = 4000;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.trim().split("\n").at(-1) ?? "");
  } catch {
    // No answer; what it said on stderr says why.
    return undefined;
  }
}
