import { join, resolve } from "node:path";
import { checkoutRoot } from "./checkout.js";

/** Where everything of one home is kept; every path is absolute. */
export type HomePaths = {
  readonly home: string;
  readonly datasetsDir: string;
  readonly runsDir: string;
  readonly loraDir: string;
  readonly checkpointsDir: string;
  readonly database: string;
  /** Held by the one server of this home as long as it lives. */
  readonly lockFile: string;
  readonly serverFile: string;
  readonly venvDir: string;
  readonly cacheDir: string;
  readonly uploadsDir: string;
};

export function homePaths(home: string): HomePaths {
  const below = (...parts: string[]) => join(resolve(home), ...parts);
  return {
    home: below(),
    datasetsDir: below("datasets"),
    runsDir: below("runs"),
    loraDir: below("models", "Lora"),
    checkpointsDir: below("models", "Stable-diffusion"),
    database: below("train-lora.sqlite"),
    lockFile: below("server.lock"),
    serverFile: below("server.json"),
    venvDir: below("venv-trainer"),
    cacheDir: below("cache"),
    uploadsDir: below("uploads"),
  };
}

/** The home folder that was asked for: `--home`, else TRAIN_LORA_HOME, else `data` in the checkout. */
export function resolveHome(flag?: string): string {
  const asked = flag ?? process.env.TRAIN_LORA_HOME;
  return asked === undefined || asked === "" ? join(checkoutRoot(), "data") : resolve(invokedFrom(), asked);
}

/** npm runs scripts in the checkout's root; a relative path on its command line is meant from the folder the user stands in. */
export function invokedFrom(): string {
  return process.env.TRAIN_LORA_INVOKED_FROM ?? process.cwd();
}
