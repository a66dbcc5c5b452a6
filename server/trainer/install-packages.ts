import { readFile } from "node:fs/promises";
import { FailureError } from "../../protocol/errors.js";
import { checkTorch, IN_WORDS, isGoodFor, presentTorch, warningOf } from "./installed-torch.js";
import { machineFacts } from "./machine-facts.js";
import { askOffer } from "./offered-builds.js";
import { type PipInstall, pipInstall } from "./pip.js";
import { kindOfName, type MachineFacts, type TorchKind, torchBuildOf } from "./torch-build.js";
import { type TorchIndex, torchIndexOf, withoutPassword } from "./torch-index.js";

export type PackagesRequest = Omit<PipInstall, "what"> & { readonly requirements: string; readonly facts?: MachineFacts };

/**
 * Installs the trainer's packages, torch first and in the build that fits this machine. The builds lie in the folder that `torchIndexOf`
 * finds. Where there is none, or it can't be reached or lacks the build, pip's usual index decides and a line says what that means.
 * Returns why the torch that came can't use the GPU that is there, or null. Throws what `pipInstall` throws.
 */
export async function installPackages({ requirements, facts, ...pip }: PackagesRequest): Promise<string | null> {
  const machine = facts ?? (await machineFacts());
  const version = await torchVersion(requirements);
  const index = torchIndexOf(process.env);
  const { kind, because } = torchBuildOf(machine);
  pip.onProgress(`This machine should have torch for ${IN_WORDS[kind]}.`);
  if (because !== undefined) pip.onProgress(because);
  const named = index?.build ? kindOfName(index.build) : null;
  const present = await presentTorch(pip.python, machine);
  const isThere = present?.version.split("+")[0] === version && isGoodFor(present.kind, named ?? kind);
  if (!isThere) await installTorch({ ...pip, requirements, machine, version, index });
  pip.onProgress("Installing the trainer's packages; the first time takes a few minutes …");
  await pipInstall({ ...pip, what: ["-r", requirements] });
  const warning = warningOf(await checkTorch(pip.python, machine), machine);
  if (warning !== null && warning !== because) pip.onProgress(warning);
  return warning;
}

type TorchRequest = Omit<PipInstall, "what"> & {
  readonly requirements: string;
  readonly machine: MachineFacts;
  readonly version: string;
  readonly index: TorchIndex | null;
};

async function installTorch({ requirements, machine, version, index, ...pip }: TorchRequest): Promise<void> {
  const { kind } = torchBuildOf(machine);
  // A Mac has one build only, which the usual index holds.
  if (machine.platform === "darwin" && !index?.build) return;
  if (index === null)
    return pip.onProgress(`Nothing names an index of PyTorch's builds (TRAIN_LORA_TORCH_INDEX). ${usualIndex(kind, machine)}`);
  const { names, root } = await fittingBuilds({ ...pip, machine, version, index });
  for (const name of names) {
    pip.onProgress(`Installing torch ${version} (${name})${root === null ? "" : ` from ${withoutPassword(root)}`} …`);
    // The build's own name as a part of the version: no other index can give another build in its place.
    const where = root === null ? [] : ["--extra-index-url", `${root}/${name}`];
    const what = [`torch==${version}+${name}`, "-c", requirements, ...where];
    try {
      return await pipInstall({ ...pip, what });
    } catch (error) {
      if (!lacksBuild(error)) throw error;
      pip.onProgress(`There is no torch ${version} for ${name} there.`);
    }
  }
  pip.onProgress(usualIndex(kind, machine));
}

type ChoiceRequest = Omit<TorchRequest, "requirements" | "index"> & { readonly index: TorchIndex };

/** `root` null: pip has the builds in places of its own, and waiting for an index that does not answer would take minutes. */
type Choice = { readonly names: readonly string[]; readonly root: string | null };

/** The builds that fit, best first, of those that the index has. */
async function fittingBuilds({ python, signal, onProgress, machine, version, index }: ChoiceRequest): Promise<Choice> {
  const { root } = index;
  if (index.build !== null) return { names: [index.build], root };
  const shown = `the index of PyTorch's builds that ${index.from} names (${withoutPassword(index.root)})`;
  onProgress(`Asking ${shown} …`);
  const ask = (address: string) => askOffer({ python, index: address, version, signal });
  const whole = await ask(index.root);
  const fitting = torchBuildOf(machine, whole.names).names;
  if (whole.unreachable) {
    onProgress(`Nobody answers at ${shown}.`);
    return { names: fitting, root: null };
  }
  if (fitting.length > 0) return { names: fitting, root };
  // A mirror may have the builds' folders without a list of them all.
  for (const name of torchBuildOf(machine).names) {
    const one = await ask(`${root}/${name}`);
    if (one.names.includes(name)) return { names: [name], root };
    if (one.unreachable) break;
  }
  onProgress(`There is no torch ${version} for this machine at ${shown}.`);
  return { names: [], root };
}

/** What the usual index gives without being asked for a build, and what that means here. */
function usualIndex(wanted: TorchKind, { platform, arch }: MachineFacts): string {
  const usual: TorchKind = platform === "linux" && arch === "x64" ? "cuda" : "cpu";
  const said = `torch comes from pip's usual index, which on ${platform === "win32" ? "Windows" : "Linux"} has the build for ${IN_WORDS[usual]}`;
  if (wanted === usual) return `${said}.`;
  return wanted === "cpu" ? `${said}: larger than needed here, otherwise as good.` : `${said}: it can't use this machine's GPU.`;
}

// Not every release has every build, and a mirror may lack one; that is no reason to give up.
function lacksBuild(error: unknown): boolean {
  const details = error instanceof FailureError && error.failure.code === "install_failed" ? (error.failure.details ?? "") : "";
  return (
    /No matching distribution found|Could not find a version/.test(details) &&
    !/Temporary failure|ConnectionError|ProxyError|SSLError/.test(details)
  );
}

async function torchVersion(requirements: string): Promise<string> {
  const version = /^torch==(\S+)/m.exec(await readFile(requirements, "utf8"))?.[1];
  if (version === undefined) throw new Error(`Expected a line torch==VERSION in ${requirements}.`);
  return version;
}
