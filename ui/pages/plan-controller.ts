import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Dataset } from "../../protocol/dataset.js";
import { type Failure, toFailure } from "../../protocol/errors.js";
import type { Plan } from "../../protocol/plan.js";
import { makePlan } from "../data/jobs.js";
import type { PlanDraft } from "../data/plan-draft.js";
import type { Session } from "../data/session.js";

const SETTLE_MS = 250;

/** Keeps the server's plan for the present draft: asked anew after each change, and late answers are dropped. */
export class PlanController implements ReactiveController {
  plan: Plan | null = null;
  failure: Failure | null = null;
  pending = false;
  readonly #host: ReactiveControllerHost;
  #asked: readonly unknown[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    clearTimeout(this.#timer);
    this.#asked = [];
  }

  /** Asks again at the next chance, because an answer may have been lost. */
  forget(): void {
    this.#asked = [];
  }

  /** `scan` only matters by its identity: another scan means other pictures, so the plan is asked for again. */
  ask(session: Session, dataset: string, draft: PlanDraft, scan: Dataset | null): void {
    const question = [session, dataset, draft, scan];
    if (question.every((part, index) => part === this.#asked[index])) return;
    if (this.plan?.dataset.name !== dataset) this.plan = null;
    this.#asked = question;
    this.pending = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#fetch(question, () => makePlan(session, dataset, draft)), this.plan ? SETTLE_MS : 0);
  }

  async #fetch(question: readonly unknown[], work: () => Promise<Plan>): Promise<void> {
    let answer: { plan: Plan } | { failure: Failure };
    try {
      answer = { plan: await work() };
    } catch (thrown) {
      answer = { failure: toFailure(thrown) };
    }
    if (question !== this.#asked) return;
    this.pending = false;
    this.failure = "failure" in answer ? answer.failure : null;
    if ("plan" in answer) this.plan = answer.plan;
    this.#host.requestUpdate();
  }
}
