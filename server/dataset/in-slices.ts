import { setImmediate as breathe } from "node:timers/promises";

const SLICE_MS = 10;

/** Takes synchronous steps with a pause for others whenever a slice of time is used up. */
export async function inSlices(steps: Iterator<void, void>): Promise<void> {
  let until = performance.now() + SLICE_MS;
  while (steps.next().done !== true) {
    if (performance.now() < until) continue;
    await breathe();
    until = performance.now() + SLICE_MS;
  }
}
