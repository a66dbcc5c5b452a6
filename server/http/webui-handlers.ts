import { join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { Job } from "../../protocol/job.js";
import { pasteText } from "../host/paste-text.js";
import { readPlanFile } from "../plan/plan-file.js";
import type { State } from "../state.js";
import { keepLora } from "../trainer/keep-lora.js";
import { runDirOf } from "../trainer/run.js";
import type { Handlers } from "./handlers.js";

type WebuiType = "drawInWebui" | "stopDrawing" | "pasteText" | "lendGpu" | "setHostSettings" | "keepLora";

/** What the pages ask of the WebUI around them. */
export function webuiHandlers(state: State): Pick<Handlers, WebuiType> {
  return {
    drawInWebui: ({ job, epochs, settings }) => state.drawings.draw(job, { epochs, settings }),
    async stopDrawing({ job }) {
      state.drawings.stop(jobOf(state, job).id);
      return {};
    },
    async pasteText(message) {
      const job = jobOf(state, message.job);
      state.webui.demand();
      const plan = await readPlanFile(join(runDirOf(state.paths, job.id), "plan.json"));
      return { text: await pasteText(state.webui, job, plan, message) };
    },
    async lendGpu({ job }) {
      state.gpu.lend(jobOf(state, job).id);
      return {};
    },
    setHostSettings: async ({ settings }) => state.webui.setSettings(settings),
    keepLora: async ({ job, epoch, weight }) => ({ file: await keepLora(state.paths, jobOf(state, job), { epoch, weight }) }),
  };
}

function jobOf(state: State, id: string): Job {
  const job = state.store.job(id);
  if (job === undefined) throw new FailureError("not_found", `There is no job with the id "${id}".`);
  return job;
}
