/**
 * `npm test`: everything that can be checked without a GPU, a WebUI or the internet. Brings the trainer's venv and the two
 * gradio environments up, runs Vitest (server, protocol, page, command line, browser) and pytest (trainer, pocket model, the WebUI's
 * side), and ends with `N passed, N failed`.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { developmentPython, root, run, runBin } from "./commands.js";

type Tally = { passed: number; failed: number; skipped: number };

type Suite = { name: string; config: string; paths: readonly string[]; path: string };

const TRAINER: Suite = {
  name: "trainer",
  config: "trainer-py",
  paths: ["test/trainer", "test/pocket", "test/tagger"],
  path: `${root}trainer-py`,
};
/** Each in a process of its own: the stand-ins for a WebUI's modules go by the same names. */
const BRIDGE: Suite = { name: "bridge", config: "extension", paths: ["test/extension/bridge"], path: "" };
const EDGE: Suite = { name: "edge", config: "extension", paths: ["test/extension"], path: "" };

const results = mkdtempSync(join(tmpdir(), "train-lora-test-"));
const python = await developmentPython();
const venv = { TRAIN_LORA_VENV: dirname(dirname(python)), TRAIN_LORA_TEST_PYTHON: python };

// pip mostly waits, so the gradio environments are made beside the first tests.
const gradios = run(python, ["test/extension/venvs.py"]);
const tallies = [await vitest("unit", ["run", "--project", "unit"])];
// Both have one thread and much to wait for; what the trainer's tests print comes when they are done.
const trainer = pytestInOnePiece(TRAINER);
tallies.push(await pytest(BRIDGE));
if ((await gradios) !== 0) process.stderr.write("Expected pip to make the two gradio environments; its message is above.\n");
tallies.push(await pytest(EDGE), await trainer);
tallies.push(await vitest("e2e", ["run", "--project", "e2e"]));
rmSync(results, { recursive: true, force: true });

const sum = (key: keyof Tally) => tallies.reduce((total, tally) => total + tally[key], 0);
process.stdout.write(`\n${sum("passed")} passed, ${sum("failed")} failed${sum("skipped") > 0 ? `, ${sum("skipped")} skipped` : ""}\n`);
process.exitCode = sum("failed") > 0 ? 1 : 0;

async function vitest(name: string, args: readonly string[]): Promise<Tally> {
  const file = join(results, `${name}.json`);
  const code = await runBin("vitest/vitest.mjs", [...args, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`], venv);
  return honest(code, () => {
    const report: { numPassedTests: number; numFailedTests: number; numPendingTests: number } = JSON.parse(readFileSync(file, "utf8"));
    return { passed: report.numPassedTests, failed: report.numFailedTests, skipped: report.numPendingTests };
  });
}

async function pytestInOnePiece(suite: Suite): Promise<Tally> {
  const file = join(results, `${suite.name}.log`);
  const log = openSync(file, "w");
  const tally = await pytest(suite, log);
  closeSync(log);
  process.stdout.write(readFileSync(file));
  return tally;
}

async function pytest({ name, config, paths, path }: Suite, output: "inherit" | number = "inherit"): Promise<Tally> {
  const file = join(results, `${name}.xml`);
  const options = ["-q", "-p", "no:cacheprovider", "-c", `${config}/pyproject.toml`, "--rootdir", root, `--junitxml=${file}`];
  const others = paths.includes("test/extension") ? ["--ignore=test/extension/bridge"] : [];
  const code = await run(python, ["-m", "pytest", ...options, ...others, ...paths], { PYTHONPATH: path, OMP_NUM_THREADS: "1" }, { output });
  return honest(code, () => {
    const text = readFileSync(file, "utf8");
    const count = (name: string) => Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(text)?.[1] ?? 0);
    const failed = count("failures") + count("errors");
    return { passed: count("tests") - failed - count("skipped"), failed, skipped: count("skipped") };
  });
}

// A runner that ends badly without a failing test (a broken import, a crash, no test at all) still counts as one failure.
function honest(code: number, read: () => Tally): Tally {
  try {
    const tally = read();
    return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
