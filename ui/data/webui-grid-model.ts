import type { Job } from "../../protocol/job.js";
import type { Plan } from "../../protocol/plan.js";
import { type GridModel, gridModel } from "./grid-model.js";

/** A run's grid as the WebUI draws it: rows and columns of the run, texts and size of what the WebUI was asked for. */
export function webuiGridModel(job: Job, plan: Plan | null): GridModel {
  const { webui } = job;
  const model = gridModel({ ...job, cells: webui?.cells ?? [] }, plan, null);
  if (!webui) return model;
  const { prompts, width, height } = webui.settings;
  const expected = prompts.length * model.seeds.length * (1 + model.epochs.length * model.weights.length);
  return { ...model, prompts, width, height, expected };
}
