import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** What accelerate has written last of a state; without all of it a kill came between. */
const PARTS = ["train_state.json", "optimizer.bin", "scheduler.bin", "random_states_0.pkl"];

/** The newest whole state that sd-scripts has saved at an epoch's end, or null when it has to begin anew. */
export async function newestState(outDir: string, outputName: string): Promise<{ dir: string; epoch: number } | null> {
  const names = await readdir(outDir).catch(() => []);
  const states = names.flatMap((name) => {
    const epoch = name.startsWith(`${outputName}-`) ? /^(\d{6})-state$/.exec(name.slice(outputName.length + 1))?.[1] : undefined;
    return epoch === undefined ? [] : [{ dir: join(outDir, name), epoch: Number(epoch) }];
  });
  const whole = states.filter(({ dir }) => PARTS.every((part) => existsSync(join(dir, part))));
  return whole.sort((a, b) => b.epoch - a.epoch)[0] ?? null;
}

/** States are large and of no use once a run has ended. */
export async function removeStates(outDir: string): Promise<void> {
  for (const name of await readdir(outDir).catch(() => []))
    if (name.endsWith("-state")) await rm(join(outDir, name), { recursive: true, force: true });
}
