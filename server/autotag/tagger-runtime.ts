import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import type { TaggerRuntime } from "../../protocol/autotag.js";
import { FailureError } from "../../protocol/errors.js";
import type { HomePaths } from "../paths.js";
import { pipInstall, venvEnvironment } from "../trainer/pip.js";
import { ensureTrainer, readyTrainer, type TrainerRequest, trainerFolder } from "../trainer/venv.js";

export type RuntimeBuild = TaggerRuntime["build"];

/** What the venv's Python tells: the onnxruntime packages that are there whole, and for which CUDA its torch is built. */
const Present = z.object({ packages: z.record(z.string(), z.string()), cuda: z.string().nullable(), python: z.tuple([z.int(), z.int()]) });
type Present = z.infer<typeof Present>;

const PACKAGES: Record<RuntimeBuild, string> = {
  cpu: "onnxruntime",
  cuda12: "onnxruntime-gpu",
  cuda13: "onnxruntime-gpu",
  directml: "onnxruntime-directml",
};

/** Whether taggers can be run here, without installing anything. */
export async function taggerRuntime(paths: HomePaths): Promise<TaggerRuntime> {
  const python = await readyTrainer(paths);
  if (python === null) return { state: "noTrainer", build: buildFor(null) };
  const present = await askPresent(python);
  const there = buildThere(present);
  return there === null ? { state: "missing", build: buildFor(present) } : { state: "ready", build: there };
}

/** The Python that runs taggers. Throws `tagger_missing` with what to do where onnxruntime is not installed. */
export async function taggerPython(paths: HomePaths): Promise<string> {
  const python = await readyTrainer(paths);
  if (python !== null && buildThere(await askPresent(python)) !== null) return python;
  throw new FailureError(
    "tagger_missing",
    "Expected onnxruntime, which runs the taggers, but it is not installed; install it on the tags page, or by train-lora dataset taggers --install.",
  );
}

/**
 * Installs the onnxruntime that fits this machine's torch, and the trainer first where there is none. torch, numpy and the trainer's other
 * packages stay as they are. Throws `install_failed` or `disk_full`.
 */
export async function installTaggerRuntime(paths: HomePaths, request: TrainerRequest): Promise<TaggerRuntime> {
  const { onProgress = () => undefined, onBytes, signal } = request;
  const { python } = await ensureTrainer(paths, request);
  const present = await askPresent(python);
  const build = buildFor(present);
  if (buildThere(present) !== null) return { state: "ready", build: buildThere(present) ?? build };
  // Two packages of one content: whichever is removed later takes the other's files along.
  const others = Object.keys(present.packages).filter((name) => name !== PACKAGES[build]);
  if (others.length > 0) await removePackages(python, others);
  onProgress(`Installing ${PACKAGES[build]} …`);
  await pipInstall({ python, what: ["-r", join(trainerFolder(), "tagger-requirements", `${build}.txt`)], onProgress, onBytes, signal });
  const now = buildThere(await askPresent(python));
  if (now !== null) return { state: "ready", build: now };
  throw new FailureError(
    "install_failed",
    `${PACKAGES[build]} was installed, but it can't be loaded; try again, the details of the log tell more.`,
  );
}

/** A GPU's build goes with the CUDA that torch was built for, because it shares its libraries. */
export function buildFor(present: Pick<Present, "cuda" | "python"> | null, platform: NodeJS.Platform = process.platform): RuntimeBuild {
  const major = present?.cuda?.split(".")[0];
  const isNew = present !== null && present.python[1] >= 11;
  if (platform !== "darwin" && major === "12") return "cuda12";
  if (platform !== "darwin" && major === "13" && isNew) return "cuda13";
  return platform === "win32" && major === undefined ? "directml" : "cpu";
}

function buildThere({ packages, cuda }: Present): RuntimeBuild | null {
  if ("onnxruntime-gpu" in packages) return cuda?.startsWith("13") ? "cuda13" : "cuda12";
  if ("onnxruntime-directml" in packages) return "directml";
  return "onnxruntime" in packages ? "cpu" : null;
}

const ASK = `
import importlib.util, json, pathlib, sys
from importlib.metadata import PackageNotFoundError, version
packages = {}
for name in ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml"):
    try:
        packages[name] = version(name)
    except PackageNotFoundError:
        pass
if importlib.util.find_spec("onnxruntime") is None:
    packages = {}
names = {}
torch = importlib.util.find_spec("torch")
if torch is not None and torch.origin:
    exec(pathlib.Path(torch.origin).with_name("version.py").read_text(encoding="utf-8"), names)
print(json.dumps({"packages": packages, "cuda": names.get("cuda"), "python": list(sys.version_info[:2])}))
`;

async function askPresent(python: string): Promise<Present> {
  const { failed, stdout } = await execa(python, ["-c", ASK], {
    reject: false,
    stdin: "ignore",
    env: venvEnvironment(),
    extendEnv: false,
    timeout: 60_000,
  });
  const nothing: Present = { packages: {}, cuda: null, python: [3, 10] };
  const said = Present.safeParse(failed ? undefined : parseJson(stdout));
  return said.success ? said.data : nothing;
}

async function removePackages(python: string, names: readonly string[]): Promise<void> {
  const result = await execa(python, ["-m", "pip", "uninstall", "--yes", "--disable-pip-version-check", ...names], {
    reject: false,
    all: true,
    stdin: "ignore",
    env: venvEnvironment(),
    extendEnv: false,
  });
  if (result.failed)
    throw new FailureError("install_failed", `${names.join(", ")} could not be removed from the trainer's venv; try again.`, result.all);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.trim().split("\n").at(-1) ?? "");
  } catch {
    // Something that is no Python answered; it has no packages of ours.
    return undefined;
  }
}
