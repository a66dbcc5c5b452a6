/** `npm run bench -- NAME`: one benchmark, one JSON line on stdout, everything else on stderr. */
import { developmentPython, root, run } from "./commands.js";

const [name = "", ...args] = process.argv.slice(2);
const python = await developmentPython();
const benches: Record<string, () => Promise<number>> = {
  grid: () => run(python, ["-m", "bench.grid", ...args], inTrainer),
  trainer: () => run(python, ["-m", "bench.trainer", ...args], inTrainer),
  "vs-kohya": () => run(python, ["-m", "bench.vs_kohya", ...args], inTrainer),
  dataset: () => run(process.execPath, ["--import", "tsx", "tools/bench/dataset.ts", ...args], { TRAIN_LORA_TEST_PYTHON: python }),
  latency: () => run(process.execPath, ["--import", "tsx", "tools/bench/latency.ts", ...args], { TRAIN_LORA_TEST_PYTHON: python }),
  "webui-latency": () =>
    run(process.execPath, ["--import", "tsx", "tools/bench/webui-latency.ts", ...args], { TRAIN_LORA_TEST_PYTHON: python }),
};
const inTrainer = { PYTHONPATH: `${root}trainer-py`, HF_HUB_OFFLINE: "1" };

const bench = benches[name];
if (bench === undefined) {
  process.stderr.write(
    `Expected the name of a benchmark (${Object.keys(benches).join(", ")}) but got "${name}". Example: npm run bench -- grid\n`,
  );
  process.exitCode = 2;
} else process.exitCode = await bench();
