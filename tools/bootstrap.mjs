/**
 * Everything that `npm run …` starts goes through here: plain Node without packages, because a fresh clone has none.
 * Brings the Node packages and the build up to date (only what is missing or stale), then hands over.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tasks = {
  demo: async (args) => run("node", ["dist/server/demo.js", ...args], await ready({ build: true })),
  start: async (args) => run("node", ["dist/server/main.js", ...args], await ready({ build: true })),
  dev: async (args) => run("node", ["--import", "tsx", "tools/dev.ts", ...args], await ready({ build: false })),
  test: async (args) => run("node", ["--import", "tsx", "tools/test.ts", ...args], await ready({ build: true })),
  "test-webui": async (args) =>
    run("node", ["node_modules/vitest/vitest.mjs", "run", "--project", "webui", ...args], await ready({ build: true })),
  check: async (args) => run("node", ["--import", "tsx", "tools/check.ts", ...args], await ready({ build: false })),
  bench: async (args) => run("node", ["--import", "tsx", "tools/bench.ts", ...args], await ready({ build: true })),
};

const [task = "", ...args] = process.argv.slice(2);
if (!Object.hasOwn(tasks, task)) fail(`Expected one of ${Object.keys(tasks).join(", ")} but got "${task}".`);
checkNode();
process.exitCode = await tasks[task](args);

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    fail(`Node 20.19 or newer is needed, this is ${process.versions.node}. Install a newer Node and try again.`);
}

async function ready({ build }) {
  await installPackages();
  if (build) await runOrFail("node", ["tools/build.mjs", "--if-stale"], "The build failed; its message is above.");
}

// The stamp holds the lockfile's hash and is written last, so that an installation that was cut off is done again.
async function installPackages() {
  const stamp = `${root}node_modules/.train-lora-lock`;
  const hash = createHash("sha256")
    .update(readFileSync(`${root}package-lock.json`))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  note("Installing the Node packages …");
  await runOrFail(
    "npm",
    ["ci", "--no-audit", "--no-fund", "--loglevel=error"],
    "npm ci failed: npm and a package registry must be reachable. Run the same command again to go on.",
  );
  mkdirSync(`${root}node_modules`, { recursive: true });
  writeFileSync(stamp, hash);
}

async function runOrFail(program, programArgs, sentence) {
  const code = await run(program, programArgs, undefined, true);
  if (code !== 0) fail(sentence);
}

// A preparation's own output goes to stderr, because `demo --json` promises that stdout ends in its one line.
function run(program, programArgs, _ready, quietStdout = false) {
  const windowsScript = process.platform === "win32" && program === "npm";
  return new Promise((resolve) => {
    const child = spawn(windowsScript ? "npm.cmd" : program === "node" ? process.execPath : program, programArgs, {
      cwd: root,
      stdio: ["inherit", quietStdout ? 2 : "inherit", "inherit"],
      shell: windowsScript,
      env: { ...process.env, TRAIN_LORA_INVOKED_FROM: process.env.INIT_CWD ?? process.cwd() },
    });
    child.on("error", (error) =>
      fail(
        error.code === "ENOENT" ? `The program "${program}" is needed but was not found on PATH. Install it and try again.` : error.message,
      ),
    );
    // The terminal sends Ctrl-C to the child as well; it leaves in good order and we wait for it.
    process.on("SIGINT", () => undefined);
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    child.on("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}

function note(sentence) {
  process.stderr.write(`${sentence}\n`);
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
