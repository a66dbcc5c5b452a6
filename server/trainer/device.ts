import { mkdir, readFile, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { z } from "zod";
import type { HomePaths } from "../paths.js";
import { deviceFile } from "./device-file.js";
import { trainerEnvironment } from "./trainer-process.js";
import { readyTrainer, trainerFolder } from "./venv.js";

/** What the trainer computes on. */
export const TrainerDevice = z.object({ kind: z.enum(["cpu", "cuda", "mps"]), name: z.string(), bf16: z.boolean(), torch: z.string() });
export type TrainerDevice = z.infer<typeof TrainerDevice>;

const Kept = z.object({ python: z.string(), device: TrainerDevice });

/**
 * The trainer's device, asked once and kept in the home's cache, because asking loads torch for some seconds. Null before the trainer is
 * installed, or when it does not answer; a plan then takes what suits any machine.
 */
export async function trainerDevice(paths: HomePaths): Promise<TrainerDevice | null> {
  const python = await readyTrainer(paths);
  if (python === null) return null;
  const file = deviceFile(paths);
  const kept = Kept.safeParse(parseJson(await readFile(file, "utf8").catch(() => "")));
  if (kept.success && kept.data.python === python) return kept.data.device;
  const result = await execa(python, ["-m", "trainer", "device"], {
    cwd: trainerFolder(),
    env: trainerEnvironment(),
    extendEnv: false,
    reject: false,
    stdin: "ignore",
  });
  const device = TrainerDevice.safeParse(result.failed ? undefined : parseJson(result.stdout));
  if (!device.success) return null;
  await keep(paths, JSON.stringify({ python, device: device.data }));
  return device.data;
}

async function keep(paths: HomePaths, text: string): Promise<void> {
  try {
    await mkdir(paths.cacheDir, { recursive: true });
    await writeFile(deviceFile(paths), text);
  } catch {
    // A cache that can't be written costs the next start a few seconds and nothing else.
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Nothing kept, or an answer that is none.
    return undefined;
  }
}
