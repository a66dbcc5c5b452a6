import { readFile } from "node:fs/promises";
import { FailureError } from "../../protocol/errors.js";
import { type PipInstall, pipInstall } from "./pip.js";
import { type MachineFacts, machineFacts, type TorchBuild, torchBuildOf } from "./torch-build.js";

export type PackagesRequest = Omit<PipInstall, "what"> & { readonly requirements: string; readonly facts?: MachineFacts };

/** What the usual index of packages gives without being asked for a build. */
const USUAL: Partial<Record<NodeJS.Platform, TorchBuild["kind"]>> = { linux: "cuda", win32: "cpu" };

/**
 * Installs the trainer's packages, torch first and in the build that fits this machine. Builds lie below TRAIN_LORA_TORCH_INDEX by their
 * names (`…/cu128`, `…/rocm6.4`, `…/cpu`), as on torch's own index and its mirrors. Without that variable pip's usual index decides,
 * and a line says so where its build would not use the GPU.
 */
export async function installPackages({ requirements, facts, ...pip }: PackagesRequest): Promise<void> {
  const build = torchBuildOf(facts ?? (await machineFacts()));
  const index = process.env.TRAIN_LORA_TORCH_INDEX?.replace(/\/+$/, "");
  pip.onProgress(`This machine should have torch for ${IN_WORDS[build.kind]}.`);
  if (index && build.names.length > 0) await installTorch(pip, { build, index, torch: await torchOf(requirements) });
  else if (advice(build) !== null) pip.onProgress(advice(build) ?? "");
  pip.onProgress("Installing the trainer's packages; the first time takes a few minutes …");
  await pipInstall({ ...pip, what: ["-r", requirements] });
}

const IN_WORDS: Record<TorchBuild["kind"], string> = {
  cuda: "NVIDIA's CUDA",
  rocm: "AMD's ROCm",
  mps: "Apple's GPU (MPS)",
  cpu: "the CPU alone",
};

async function installTorch(
  pip: Omit<PipInstall, "what">,
  { build, index, torch }: { build: TorchBuild; index: string; torch: string },
): Promise<void> {
  for (const name of build.names) {
    pip.onProgress(`Installing ${torch} (${name}) …`);
    try {
      await pipInstall({ ...pip, what: [torch, "--index-url", `${index}/${name}`] });
      return;
    } catch (error) {
      if (!lacksBuild(error)) throw error;
      pip.onProgress(`There is no ${torch} for ${name} there.`);
    }
  }
  pip.onProgress("None of these builds was found; torch comes from the usual index.");
}

// Not every release has every build, and a mirror may lack one; that is no reason to give up.
function lacksBuild(error: unknown): boolean {
  const details = error instanceof FailureError && error.failure.code === "install_failed" ? (error.failure.details ?? "") : "";
  return (
    /No matching distribution found|Could not find a version/.test(details) &&
    !/Temporary failure|ConnectionError|ProxyError|SSLError/.test(details)
  );
}

function advice({ kind, names }: TorchBuild): string | null {
  const usual = USUAL[process.platform];
  if (usual === undefined || kind === usual || kind === "mps") return null;
  const why = kind === "cpu" ? "is larger than this machine needs" : "may not use the GPU";
  return `The usual index's torch ${why}; TRAIN_LORA_TORCH_INDEX names the index that holds ${names.join(", ")}.`;
}

async function torchOf(requirements: string): Promise<string> {
  return /^torch==\S+/m.exec(await readFile(requirements, "utf8"))?.[0] ?? "torch";
}
