import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { checkoutRoot } from "../../server/checkout.js";
import { type HomePaths, homePaths, resolveHome } from "../../server/paths.js";
import { trainerEnvironment } from "../../server/trainer/trainer-process.js";
import { ensureTrainer, trainerFolder } from "../../server/trainer/venv.js";

/** A fresh home with the demo's pictures beside it and the real server, trainer and base model behind it. */
export type RealHome = { readonly paths: HomePaths; readonly pictures: string; readonly url: string; leave(): Promise<void> };

/** Draws the pictures and starts the server as `npm start` does; the trainer's venv is the checkout's. */
export async function openRealHome(): Promise<RealHome> {
  const paths = homePaths(mkdtempSync(join(tmpdir(), "train-lora-e2e-")));
  const { python } = await ensureTrainer(homePaths(resolveHome()));
  const pictures = join(paths.home, "pictures");
  execFileSync(python, ["-m", "pocket.demo_dataset", pictures, "--seed", "7"], { cwd: trainerFolder(), env: trainerEnvironment() });
  const server = spawn(process.execPath, [join(checkoutRoot(), "dist/server/main.js"), "--home", paths.home, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TRAIN_LORA_VENV: join(python, "../..") },
  });
  const [line] = await once(createInterface({ input: server.stdout }), "line");
  return { paths, pictures, url: JSON.parse(String(line)).url, leave: () => leave(server, paths.home) };
}

async function leave(server: ChildProcess, home: string): Promise<void> {
  const exited = once(server, "exit");
  server.kill("SIGTERM");
  await exited;
  rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
