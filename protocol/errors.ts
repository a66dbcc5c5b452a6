import { z } from "zod";

/** Every reason for which the main job can end badly; the same list in TypeScript, Python and the browser. */
export const ErrorCode = z.enum([
  "bad_request",
  "bad_settings",
  "bad_plan",
  "plan_version",
  "dataset_not_found",
  "dataset_empty",
  "dataset_exists",
  "base_model_missing",
  "base_model_corrupt",
  "base_model_unsafe",
  "base_model_unsupported",
  "lora_corrupt",
  "tagger_missing",
  "tagger_unsupported",
  "download_failed",
  "program_missing",
  "install_failed",
  "out_of_memory",
  "disk_full",
  "nan_loss",
  "crashed",
  "server_running",
  "server_missing",
  "port_taken",
  "unauthorized",
  "restricted",
  "webui_missing",
  "webui_busy",
  "webui_failed",
  "not_found",
  "unknown",
]);
export type ErrorCode = z.infer<typeof ErrorCode>;

/**
 * An expected failure as a fact. `message` is one sentence: what was expected, what came, what to do.
 * `details` holds what *Copy details* should carry (a tail of the log, a path), never a secret.
 */
export const Failure = z.object({
  code: ErrorCode,
  message: z.string().min(1),
  details: z.string().optional(),
});
export type Failure = z.infer<typeof Failure>;

/** Carries a Failure through `throw`; anything else that is thrown is a bug and becomes code `unknown` at the border. */
export class FailureError extends Error {
  readonly failure: Failure;

  constructor(code: ErrorCode, message: string, details?: string) {
    super(message);
    this.name = "FailureError";
    this.failure = details === undefined ? { code, message } : { code, message, details };
  }
}

/** The Failure inside a thrown value. Used at the borders (socket, HTTP, command line) and nowhere else. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof FailureError) return thrown.failure;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "unknown", message: `Something unexpected happened: ${message}` };
}
