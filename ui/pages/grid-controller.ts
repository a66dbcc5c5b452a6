import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Grid } from "../../protocol/grid.js";
import { hasEnded, type Job } from "../../protocol/job.js";
import type { Plan } from "../../protocol/plan.js";
import { readGrid } from "../data/grids.js";
import { readPlan } from "../data/jobs.js";
import type { Session } from "../data/session.js";

/** Fetches what a grid's page needs besides the job: its frozen plan, and grid.json whenever that may have changed. */
export class GridController implements ReactiveController {
  plan: Plan | null = null;
  grid: Grid | null = null;
  readonly #host: ReactiveControllerHost;
  #job = "";
  #version = "";

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.#job = "";
  }

  follow(session: Session, job: Job): void {
    if (this.#job !== job.id) {
      this.#job = job.id;
      this.#version = "";
      this.plan = null;
      this.grid = null;
      void this.#fetchPlan(session, job.id);
    }
    const version = `${job.verdict?.sentence ?? ""}|${job.report ?? ""}|${job.status}`;
    // grid.json is written when the run is judged; asking earlier only fills the browser's console.
    if (version === this.#version || (job.verdict === null && !hasEnded(job))) return;
    this.#version = version;
    void this.#fetchGrid(session, job.id);
  }

  async #fetchPlan(session: Session, job: string): Promise<void> {
    const plan = await readPlan(session, job).catch(() => null); // the drawn cells still tell their own places
    if (job !== this.#job) return;
    this.plan = plan;
    this.#host.requestUpdate();
  }

  async #fetchGrid(session: Session, job: string): Promise<void> {
    const grid = await readGrid(session, job).catch(() => null); // without it only the flags are missing
    if (job !== this.#job || grid === null) return;
    this.grid = grid;
    this.#host.requestUpdate();
  }
}
