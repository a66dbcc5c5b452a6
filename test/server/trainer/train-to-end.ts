import { applyEvent, type Job, type JobEvent } from "../../../protocol/job.js";
import type { Plan } from "../../../protocol/plan.js";
import { jobOfRun, openRun } from "../../../server/trainer/run.js";
import { runTraining, type Training } from "../../../server/trainer/run-training.js";
import type { TempHome } from "../temp-home.js";

export type Trained = { job: Job; events: JobEvent[]; runDir: string; plan: Plan };

/** Trains a plan until it ends by itself or by what `act` does about an event. */
export async function trainToEnd(home: TempHome, plan: Plan, act?: (event: JobEvent, training: Training) => void): Promise<Trained> {
  const { run, runDir } = await openRun({ paths: home, plan, loraDir: home.loraDir });
  const events: JobEvent[] = [];
  const training = runTraining({
    paths: home,
    runDir,
    onEvent: (event) => {
      events.push(event);
      act?.(event, training);
    },
  });
  await training.done;
  return { job: events.reduce(applyEvent, jobOfRun(run, plan)), events, runDir, plan };
}
