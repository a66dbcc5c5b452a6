import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { FailureError } from "../protocol/errors.js";
import type { Job } from "../protocol/job.js";
import { inWords } from "./cli/train-progress.js";
import { type AttachedServer, attachServer } from "./demo/attach-server.js";
import { connect } from "./demo/connect.js";
import { walkTheRoad } from "./demo/walk.js";
import { newAddress } from "./http/running-server.js";
import { type HomePaths, homePaths, resolveHome } from "./paths.js";
import { failureOf } from "./trainer/failure-of.js";
import { ensureTrainer } from "./trainer/venv.js";

const HELP = `npm run demo -- [--home DIR] [--open] [--json]

Draws pictures of a made-up creature, cleans them, trains a LoRA on the pocket base model and says which epoch is best.

  --home DIR   keep everything in DIR (default: TRAIN_LORA_HOME, else data/ in the checkout)
  --open       leave the server running and print the address of its page
  --json       print one JSON summary as the last line

Example: npm run demo -- --open
`;

const program = fileURLToPath(import.meta.url);
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (typeof options === "string") {
    process.stderr.write(`${options}\nSee npm run demo -- --help\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const paths = homePaths(resolveHome(options.home));
  try {
    return await demonstrate(paths, options);
  } catch (error) {
    const { code, message, details } = failureOf(error);
    process.stderr.write(`${message} [${code}]\n${details ? `${details.trimEnd()}\n` : ""}`);
    if (options.json) process.stdout.write(`${JSON.stringify({ ok: false, code, message })}\n`);
    return 1;
  }
}

async function demonstrate(paths: HomePaths, { open, json }: Options): Promise<number> {
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const { python } = await ensureTrainer(paths, { onProgress: say });
  const attached = await attachServer({ paths, program: join(dirname(program), `main${extname(program)}`), stays: open });
  const stopListening = leaveOnSignals(attached, say);
  let done = false;
  try {
    const connection = await connect(attached.server);
    const { job } = await walkTheRoad({ connection, paths, python, terminal: process.stderr.isTTY === true, say });
    const loraDir = connection.snapshot.loraDir;
    connection.close();
    const result = summarize(job, paths, loraDir);
    const address = open ? `The server stays; its page is ${await newAddress(attached.server)}\n` : "";
    process.stdout.write(json ? `${address}${JSON.stringify(result)}\n` : `${inSentences(job, result, paths)}${address}`);
    done = true;
    return 0;
  } finally {
    stopListening();
    if (!open || !done) await attached.leave();
  }
}

type Result = ReturnType<typeof summarize>;

function summarize(job: Job, paths: HomePaths, loraDir: string) {
  if (job.failure !== null) throw new FailureError(job.failure.code, job.failure.message, job.failure.details);
  const { verdict, sheet } = job;
  if (job.status !== "finished")
    throw new FailureError("unknown", `Expected the training to finish, but it was ${job.status} from elsewhere.`);
  if (verdict === null || sheet === null)
    throw new FailureError("unknown", `The training finished without a verdict: ${job.warnings.join(" ")}`);
  return {
    loras: job.saves.map(({ file }) => join(loraDir, file)),
    grid: join(paths.runsDir, job.id, "grid", sheet),
    verdict: { epoch: verdict.epoch, weight: verdict.weight, reasons: verdict.reasons.map(({ text }) => text) },
    steps: job.step,
    trainSeconds: job.trainSeconds,
    gridSeconds: job.gridSeconds,
    heldOutLoss: job.evaluations.map(({ heldOutLoss }) => heldOutLoss),
    ok: true,
  };
}

function inSentences(job: Job, { loras, grid, verdict }: Result, paths: HomePaths): string {
  const best = job.saves.find(({ epoch }) => epoch === verdict.epoch);
  return [
    "",
    job.verdict?.sentence ?? "",
    ...verdict.reasons.map((reason) => `  ${reason}`),
    "",
    `LoRA:    ${loras[job.saves.findIndex(({ epoch }) => epoch === best?.epoch)] ?? ""} (epoch ${verdict.epoch} of ${job.epochs}; the others lie beside it)`,
    `Grid:    ${grid}`,
    ...(job.report === null ? [] : [`Report:  ${join(paths.runsDir, job.id, job.report)}`]),
    `Time:    ${inWords(job.trainSeconds)} training, ${inWords(job.gridSeconds)} drawing`,
    "",
  ].join("\n");
}

// Ctrl-C in a terminal reaches a passing server as well; a signal to us alone does not.
function leaveOnSignals(attached: AttachedServer, say: (line: string) => void): () => void {
  const leave = () => {
    say("\nLeaving; the run is kept, and `npm start` goes on with it.");
    void attached
      .leave()
      .catch(() => undefined)
      .then(() => process.exit(1));
  };
  process.on("SIGINT", leave);
  process.on("SIGTERM", leave);
  return () => {
    process.off("SIGINT", leave);
    process.off("SIGTERM", leave);
  };
}

type Options = { home: string | undefined; open: boolean; json: boolean; help: boolean };

function readOptions(args: readonly string[]): Options | string {
  try {
    const boolean = { type: "boolean", default: false } as const;
    const { values } = parseArgs({
      args: [...args],
      options: { home: { type: "string" }, open: boolean, json: boolean, help: { ...boolean, short: "h" } },
    });
    return { home: values.home, open: values.open, json: values.json, help: values.help };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
