/** `npm run check`: format, lint, types, dead code and boundaries of both languages; ends with what failed. */
import { developmentPython, root, run, runBin } from "./commands.js";

const python = await developmentPython();
const trainerFolder = `${root}trainer-py`;
const inTrainer = (...args: string[]) => run(python, args, { PYTHONPATH: trainerFolder }, { cwd: trainerFolder });
const extensionFolder = `${root}extension`;
const inExtension = (...args: string[]) => run(python, args, { MYPYPATH: extensionFolder }, { cwd: extensionFolder });
const SHIMS = ["../install.py", "../preload.py", "../scripts"];
const checks: [string, () => Promise<number>][] = [
  ["biome: format, lint, boundaries", () => runBin("@biomejs/biome/bin/biome", ["ci", "--colors=off", "."])],
  ["types: protocol", () => runBin("typescript/bin/tsc", ["-p", "protocol"])],
  ["types: server", () => runBin("typescript/bin/tsc", ["-p", "server"])],
  ["types: ui", () => runBin("typescript/bin/tsc", ["-p", "ui"])],
  ["types: tools and tests", () => runBin("typescript/bin/tsc", ["-p", "test"])],
  ["Lit templates", () => runBin("lit-analyzer/cli.js", ["ui/**/*.ts", "--quiet"])],
  ["dead code: knip", () => runBin("knip/bin/knip.js", ["--no-progress"])],
  ["the generated protocol is fresh", () => run(process.execPath, ["--import", "tsx", "tools/protocol.ts", "--check"])],
  ["the lockfile holds every platform", () => run(process.execPath, ["tools/lockfile.mjs"])],
  ["ruff: lint", () => inTrainer("-m", "ruff", "check", "--config", "pyproject.toml", ".", "../test")],
  ["ruff: format", () => inTrainer("-m", "ruff", "format", "--check", "--config", "pyproject.toml", ".", "../test")],
  ["ruff: lint of the WebUI's side", () => inExtension("-m", "ruff", "check", "--config", "pyproject.toml", ".", ...SHIMS)],
  ["ruff: format of the WebUI's side", () => inExtension("-m", "ruff", "format", "--check", "--config", "pyproject.toml", ".", ...SHIMS)],
  ["mypy: types of the WebUI's side", () => inExtension("-m", "mypy", "--config-file", "pyproject.toml")],
  ["mypy: types", () => inTrainer("-m", "mypy", "--config-file", "pyproject.toml")],
  ["vulture: dead code", () => inTrainer("-m", "vulture", "--config", "pyproject.toml")],
  ["import-linter: boundaries", () => inTrainer("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")],
];

const failed: string[] = [];
for (const [name, check] of checks) {
  process.stdout.write(`\n— ${name}\n`);
  if ((await check()) !== 0) failed.push(name);
}
process.stdout.write(
  failed.length === 0
    ? `\nAll ${checks.length} checks hold.\n`
    : `\n${failed.length} of ${checks.length} checks failed: ${failed.join("; ")}\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
