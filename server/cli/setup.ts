import { FailureError } from "../../protocol/errors.js";
import { type HomePaths, homePaths } from "../paths.js";
import { trainerDevice } from "../trainer/device.js";
import { failureOf } from "../trainer/failure-of.js";
import { ensureTrainer } from "../trainer/venv.js";
import { defineCommand } from "./command.js";
import type { Output } from "./output.js";

export const setupCommand = defineCommand({
  words: "setup",
  summary: "install the trainer, with the torch that fits this machine",
  help: `setup

Makes the trainer's venv in the home and installs its packages: torch for CUDA, ROCm, Apple's GPU or the CPU, then the others.
What is there already is left alone; what was cut off is gone on with. pip's own settings say where packages come from;
TRAIN_LORA_TORCH_INDEX names an index of torch's builds (the build's name, such as cu128 or cpu, is appended).

  --json   one JSON line each: {type: "line", text}, {type: "progress", done, total} in bytes of the present file,
           and last {type: "done"} or {type: "failed", code, message}

Example: train-lora setup --home ~/loras`,
  options: {},
  positionals: [],
  async run({ home, out }) {
    const interrupted = new AbortController();
    const interrupt = () =>
      interrupted.abort(new FailureError("install_failed", "The installation was interrupted; the same command goes on with it."));
    process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
    try {
      await install(homePaths(home), out, interrupted.signal);
      if (out.json) out.text(JSON.stringify({ type: "done" }));
      else out.text("The trainer is ready.");
      return 0;
    } catch (error) {
      if (!out.json) throw error;
      out.text(JSON.stringify({ type: "failed", ...failureOf(error) }));
      return 1;
    } finally {
      process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    }
  },
});

async function install(paths: HomePaths, out: Output, signal: AbortSignal): Promise<void> {
  const line = (text: string) => (out.json ? out.text(JSON.stringify({ type: "line", text })) : out.note(text));
  const bytes = (done: number, total: number) => {
    if (out.json) out.text(JSON.stringify({ type: "progress", done, total }));
  };
  await ensureTrainer(paths, line, signal, bytes);
  const device = await trainerDevice(paths);
  if (device !== null) line(`It trains on ${device.kind === "cpu" ? "the CPU" : device.name} with torch ${device.torch}.`);
}
