import type { Plan } from "../../protocol/plan.js";
import { failureOf } from "./failure-of.js";
import { judgeRun } from "./finish-run.js";
import type { RunRecord } from "./run-record.js";

/** A verdict after each epoch; while one is being made, further epochs wait for one more turn together. */
export function keepVerdicts(plan: Plan, runDir: string, record: RunRecord): { again(): void; settled(): Promise<void> } {
  let turn: Promise<void> = Promise.resolve();
  let waiting = false;
  async function judgeNow(): Promise<void> {
    waiting = false;
    try {
      const { verdict } = await judgeRun({ plan, runDir, job: record.job() });
      if (verdict !== null) record.add({ type: "verdict", time: Date.now(), verdict });
    } catch (error) {
      // Training is worth more than the verdict in its middle; the one at the end will say what is wrong.
      record.log(`warning: no verdict yet: ${failureOf(error).message}`);
    }
  }
  return {
    again() {
      if (waiting) return;
      waiting = true;
      turn = turn.then(judgeNow);
    },
    settled: () => turn,
  };
}
