import { z } from "zod";
import { Failure } from "./errors.js";

/** Long work beside training. A kind names what the page says of it. */
export const TaskKind = z.enum(["download", "autotag", "import", "modelDownload", "install", "scan", "edit"]);
export type TaskKind = z.infer<typeof TaskKind>;

export const TaskState = z.enum(["running", "done", "failed", "stopped"]);
export type TaskState = z.infer<typeof TaskState>;

/** Long work that the server does, whether or not a page looks on; it ends with the server. */
export const Task = z.object({
  id: z.string(),
  kind: TaskKind,
  /** The data set's name that it is for; null when it is for none. */
  dataset: z.string().nullable(),
  done: z.number().nonnegative(),
  /** In the unit of `done`; 0 while nobody knows. */
  total: z.number().nonnegative(),
  state: TaskState,
  /** What it does at this moment, or how it ended; "" for nothing to say. */
  message: z.string(),
  failure: Failure.optional(),
  /** Milliseconds since 1970. */
  startedAt: z.int(),
  endedAt: z.int().nullable(),
});
export type Task = z.infer<typeof Task>;

/** Seconds that it still takes at the pace so far; null when that can't be told. */
export function taskSecondsLeft({ state, done, total, startedAt }: Task, now: number): number | null {
  if (state !== "running" || done <= 0 || total <= done) return null;
  const seconds = (now - startedAt) / 1000;
  return seconds < 2 ? null : (seconds / done) * (total - done);
}
