import { FailureError } from "../../protocol/errors.js";
import type { State } from "../state.js";
import { extendRun } from "../trainer/extend-run.js";
import { runDirOf } from "../trainer/run.js";
import type { Handlers } from "./handlers.js";

/** What is asked of a run while it goes on or after it. */
export function runHandlers({ queue, store, paths }: State): Pick<Handlers, "askJob" | "extendJob"> {
  return {
    async askJob({ job, ask }) {
      queue.ask(job, ask);
      return {};
    },
    async extendJob({ job, epochs }) {
      if (store.job(job) === undefined) throw new FailureError("not_found", `There is no job with the id "${job}".`);
      const all = await extendRun(runDirOf(paths, job), epochs);
      queue.extended(job, all);
      return { epochs: all };
    },
  };
}
