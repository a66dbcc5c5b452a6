import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { homePaths, resolveHome } from "../server/paths.js";
import { ensureTrainer } from "../server/trainer/venv.js";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Runs a program in the checkout with our terminal; resolves to its exit code. Two torch threads never spin (see docs/architecture.md). */
export function run(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
  { cwd = root, output = "inherit" }: { cwd?: string; output?: "inherit" | number } = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      stdio: ["inherit", output, output],
      env: { ...process.env, OMP_WAIT_POLICY: "PASSIVE", GOMP_SPINCOUNT: "0", ...env },
    });
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

/** A program of node_modules, by its name there. */
export function runBin(name: string, args: readonly string[], env: Record<string, string> = {}): Promise<number> {
  return run(process.execPath, [fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url)), ...args], env);
}

/** The Python of the trainer's venv, made if it is missing, with the development packages in it. */
export async function developmentPython(): Promise<string> {
  const { python } = await ensureTrainer(homePaths(resolveHome()), { onProgress: (line) => process.stderr.write(`${line}\n`) });
  const requirements = "trainer-py/requirements-dev.txt";
  const code = await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]);
  if (code !== 0) throw new Error(`Expected pip to install ${requirements} but it ended with code ${code}; its message is above.`);
  return python;
}
