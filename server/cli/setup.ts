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
What is there already is left alone; what was cut off is gone on with. pip's own settings say where packages come from.
The build of torch is chosen among those in the folder that TRAIN_LORA_TORCH_INDEX names (…/whl, or …/whl/cu128 for this very one),
else the one above TORCH_INDEX_URL's or TORCH_COMMAND's. A torch that can't use the GPU is replaced when a better one can be had.

  --json   one JSON line each: {type: "line", text}, {type: "progress", done, total} in bytes of the present file,
           and last {type: "done"}, with {warning} when the torch can't use the GPU, or {type: "failed", code, message}

Example: train-lora setup --home ~/loras`,
  options: {},
  positionals: [],
  async run({ home, out }) {
    const interrupted = new AbortController();
    const interrupt = () =>
      interrupted.abort(new FailureError("install_failed", "The installation was interrupted; the same command goes on with it."));
    process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
    try {
      const warning = await install(homePaths(home), out, interrupted.signal);
      if (out.json) out.text(JSON.stringify(warning === null ? { type: "done" } : { type: "done", warning }));
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

async function install(paths: HomePaths, out: Output, signal: AbortSignal): Promise<string | null> {
  const line = (text: string) => (out.json ? out.text(JSON.stringify({ type: "line", text })) : out.note(text));
  const bytes = (done: number, total: number) => {
    if (out.json) out.text(JSON.stringify({ type: "progress", done, total }));
  };
  const { warning } = await ensureTrainer(paths, { onProgress: line, onBytes: bytes, signal, betterTorch: true });
  const device = await trainerDevice(paths);
  if (device !== null) line(`It trains on ${device.kind === "cpu" ? "the CPU" : device.name} with torch ${device.torch}.`);
  return warning;
}
