import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { ErrorCode, FailureError } from "../../protocol/errors.js";
import { PackedScores, TaggerLabel } from "../../protocol/tag-scores.js";
import { trainerEnvironment } from "../trainer/trainer-process.js";
import { trainerFolder } from "../trainer/venv.js";

/** What `python -m tagger` says, one line each. */
export const TaggerEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("tagger"), device: z.enum(["cpu", "cuda", "directml"]), said: z.string(), labels: z.array(TaggerLabel) }),
  /** `picture`: SHA-256 of the file's bytes. */
  z.object({ type: z.literal("scored"), image: z.string(), picture: z.string(), scores: PackedScores }),
  z.object({ type: z.literal("unreadable"), image: z.string(), reason: z.string() }),
  z.object({ type: z.literal("progress"), done: z.int(), total: z.int() }),
  z.object({ type: z.literal("downloading"), file: z.string(), done: z.int(), total: z.int() }),
  z.object({ type: z.literal("downloaded"), file: z.string(), hash: z.string(), bytes: z.int() }),
  z.object({ type: z.literal("done") }),
  z.object({ type: z.literal("stopped") }),
  z.object({ type: z.literal("failed"), code: ErrorCode, message: z.string(), details: z.string().optional() }),
]);
export type TaggerEvent = z.infer<typeof TaggerEvent>;

export type TaggerTask = {
  readonly python: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly onEvent: (event: TaggerEvent) => void | Promise<void>;
  readonly signal?: AbortSignal | undefined;
};

const DETAILS = 4000;
/** How long a process that was told to stop may take over its present batch. */
const PATIENCE_MS = 20_000;

/**
 * Runs `python -m tagger` to its end, which gives all its memory back. An aborted `signal` stops it after the present batch; that is no
 * failure. Throws what the tagger says went wrong, and what `onEvent` throws.
 */
export async function runTagger({ python, request, onEvent, signal }: TaggerTask): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "train-lora-tagger-"));
  try {
    const file = join(folder, "request.json");
    await writeFile(file, JSON.stringify(request));
    await follow({ python, file, onEvent, signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function follow({ python, file, onEvent, signal }: Omit<TaggerTask, "request"> & { file: string }): Promise<void> {
  const child = execa(python, ["-u", "-m", "tagger", file], {
    cwd: trainerFolder(),
    env: trainerEnvironment(),
    extendEnv: false,
    reject: false,
    stdin: "pipe",
    buffer: { stdout: false, stderr: true },
    maxBuffer: 1 << 20,
  });
  // It may be gone before it is told to stop.
  child.stdin?.on("error", () => undefined);
  let patience: NodeJS.Timeout | undefined;
  const stop = () => {
    child.stdin?.end('{"type":"stop"}\n');
    patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  };
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  let last: TaggerEvent | null = null;
  try {
    for await (const line of child.iterable({ from: "stdout" })) {
      const event = parseEvent(line);
      if (event === null) continue;
      last = event;
      await onEvent(event);
    }
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    child.stdin?.end();
    signal?.removeEventListener("abort", stop);
    clearTimeout(patience);
  }
  const result = await child;
  if (last?.type === "failed") throw new FailureError(last.code, last.message, last.details);
  if (result.failed && !signal?.aborted) throw crashed(result.stderr);
}

function parseEvent(line: string): TaggerEvent | null {
  try {
    return TaggerEvent.parse(JSON.parse(line));
  } catch {
    // A library that talks on stdout says nothing to us.
    return null;
  }
}

function crashed(said: string): FailureError {
  return new FailureError(
    "crashed",
    "The tagger ended without a last word, as it does when memory runs out. What it has scored is kept; close other programs and try again.",
    said.slice(-DETAILS),
  );
}
