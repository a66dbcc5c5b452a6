import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { type HomePaths, homePaths } from "../../server/paths.js";
import { safetensors, sd1Tensors } from "./library/write-files.js";

const TRAINER = fileURLToPath(new URL("../fixtures/trainers/python.mjs", import.meta.url));

/** A home in a temporary folder with a small base model and a trainer that stands for the real one. */
export type TempHome = HomePaths & {
  /** For processes that the test starts. */
  readonly env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
};

/** Also sets TRAIN_LORA_VENV of this process, as a user's own venv is named. */
export async function makeTempHome(): Promise<TempHome> {
  const paths = homePaths(await mkdtemp(join(tmpdir(), "train-lora-")));
  const venv = join(paths.home, "fixture-venv");
  const python = join(venv, "bin", "python");
  await mkdir(join(venv, "bin"), { recursive: true });
  await writeFile(
    python,
    `#!/bin/sh\n# Whether the packages are there is answered without starting Node.\n[ "$1" = -c ] && exit 0\nexec "${process.execPath}" "${TRAINER}" "$@"\n`,
  );
  await chmod(python, 0o755);
  await mkdir(paths.checkpointsDir, { recursive: true });
  await writeFile(join(paths.checkpointsDir, "tiny.safetensors"), safetensors(sd1Tensors));
  process.env.TRAIN_LORA_VENV = venv;
  return {
    ...paths,
    env: { ...process.env, TRAIN_LORA_VENV: venv },
    remove: () => rm(paths.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }),
  };
}

/** Pictures of two shapes with captions, as a user's folder. */
export async function writePictures(folder: string, count = 4): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (let index = 0; index < count; index += 1) {
    const [width, height] = index % 2 === 0 ? [512, 512] : [640, 448];
    const pixels = Buffer.from(Array.from({ length: 16 * 16 * 3 }, (_, at) => (at * at * (index + 3) * 37) % 256));
    const small = sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } });
    await small
      .resize(width, height, { fit: "fill", kernel: "nearest" })
      .png({ compressionLevel: 1 })
      .toFile(join(folder, `${index}.png`));
    await writeFile(join(folder, `${index}.txt`), `moss, picture ${index}`);
  }
  return folder;
}
