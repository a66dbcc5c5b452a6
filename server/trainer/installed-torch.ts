import { execa } from "execa";
import { z } from "zod";
import { FailureError } from "../../protocol/errors.js";
import { venvEnvironment } from "./pip.js";
import { KNOWN_BUILDS, type MachineFacts, type TorchKind, torchBuildOf } from "./torch-build.js";

const Present = z.object({ version: z.string(), cuda: z.string().nullable(), hip: z.string().nullable() });
const Checked = Present.extend({ available: z.boolean(), said: z.string() });

/** A torch that lies in a venv. `version` as it calls itself, such as 2.13.0+cu128. */
export type PresentTorch = { readonly version: string; readonly kind: TorchKind };

/** Whether it computes on the GPU, and its own words when it does not. */
export type CheckedTorch = PresentTorch & { readonly cuda: string | null; readonly available: boolean; readonly said: string };

/** Read from the file that names its build, as loading torch takes seconds; null where there is none. */
export async function presentTorch(
  python: string,
  { platform, arch }: Pick<MachineFacts, "platform" | "arch">,
): Promise<PresentTorch | null> {
  const result = await ask(python, READ);
  const present = Present.safeParse(result.failed ? undefined : lastJson(result.stdout));
  return present.success ? { version: present.data.version, kind: kindOf(present.data, platform, arch) } : null;
}

/** Loads torch and asks it. Throws `install_failed` when it can't be loaded at all. */
export async function checkTorch(python: string, { platform, arch }: Pick<MachineFacts, "platform" | "arch">): Promise<CheckedTorch> {
  const result = await ask(python, LOAD);
  const checked = Checked.safeParse(result.failed ? undefined : lastJson(result.stdout));
  if (checked.success) return { ...checked.data, kind: kindOf(checked.data, platform, arch) };
  const reason = result.stderr.trim().split("\n").at(-1) ?? "";
  const advice =
    platform === "win32"
      ? "Install the newest Microsoft Visual C++ Redistributable (x64) and try again."
      : "Try again; the details tell more.";
  throw new FailureError("install_failed", `PyTorch was installed, but it can't be loaded (${reason}). ${advice}`, result.stderr.trim());
}

/** Whether a torch for `kind` does on a machine that should have `wanted`: every build computes on the CPU. */
export function isGoodFor(kind: TorchKind, wanted: TorchKind): boolean {
  return wanted === "cpu" || kind === wanted;
}

/** Why this torch can't use the GPU that is there, and what to do; null when all is well. */
export function warningOf(torch: CheckedTorch, facts: MachineFacts): string | null {
  const { kind: wanted, names, because } = torchBuildOf(facts);
  if (because !== undefined) return because;
  if (wanted === "cpu" || (torch.kind === wanted && torch.available) || isHidden(process.env)) return null;
  if (wanted === "mps")
    return `PyTorch ${torch.version} can't use this Mac's GPU${inBrackets(torch.said)}; macOS 14 or newer is needed for it.`;
  const [needed, example] = [IN_WORDS[wanted], names[0] ?? KNOWN_BUILDS[0]];
  if (torch.kind !== wanted)
    return `This PyTorch can't use your GPU: it is the build for ${IN_WORDS[torch.kind]} (${torch.version}), and the GPU needs one for ${needed}. Set TRAIN_LORA_TORCH_INDEX to the address of the folder that holds PyTorch's builds (${example} among them), start again and set up again.`;
  const driver = facts.nvidia === null ? "" : `; the driver supports CUDA ${facts.nvidia.cuda.toFixed(1)}`;
  const built = torch.cuda === null ? "" : ` is built for CUDA ${torch.cuda} and`;
  return `PyTorch ${torch.version}${built} can't use your GPU${inBrackets(torch.said)}${driver}. Update the GPU's driver, or set TRAIN_LORA_TORCH_INDEX to the address of the folder that holds PyTorch's builds (${example} among them), start again and set up again.`;
}

/** How a build is called in a sentence. */
export const IN_WORDS: Record<TorchKind, string> = {
  cuda: "NVIDIA's CUDA",
  rocm: "AMD's ROCm",
  mps: "Apple's GPU (MPS)",
  cpu: "the CPU alone",
};

const READ = `
import importlib.util, json, pathlib
names = {}
exec(pathlib.Path(importlib.util.find_spec("torch").origin).with_name("version.py").read_text(encoding="utf-8"), names)
print(json.dumps({"version": str(names["__version__"]), "cuda": names.get("cuda"), "hip": names.get("hip")}))
`;

const LOAD = `
import json, warnings
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    import torch
    mps = getattr(torch.backends, "mps", None)
    available = torch.cuda.is_available() or (mps is not None and mps.is_available())
words = [str(each.message).split(" (Triggered")[0] for each in said if "CUDA" in str(each.message) or "HIP" in str(each.message)]
print(json.dumps({
    "version": str(torch.__version__), "cuda": torch.version.cuda, "hip": torch.version.hip,
    "available": bool(available), "said": words[0] if words else "",
}))
`;

function ask(python: string, script: string) {
  return execa(python, ["-c", script], { reject: false, stdin: "ignore", env: venvEnvironment(), extendEnv: false, timeout: 300_000 });
}

function kindOf({ cuda, hip }: z.infer<typeof Present>, platform: NodeJS.Platform, arch: string): TorchKind {
  if (hip !== null) return "rocm";
  if (cuda !== null) return "cuda";
  return platform === "darwin" && arch === "arm64" ? "mps" : "cpu";
}

// Whoever hides the cards from every program wants the CPU.
function isHidden(env: NodeJS.ProcessEnv): boolean {
  return ["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"].some((name) => env[name] !== undefined && /^\s*(-1.*)?$/.test(env[name]));
}

function inBrackets(text: string): string {
  return text === "" ? "" : ` (${text.replace(/\s+/g, " ").trim()})`;
}

function lastJson(text: string): unknown {
  try {
    return JSON.parse(text.trim().split("\n").at(-1) ?? "");
  } catch {
    // Something else answered in torch's place; it counts as no torch.
    return undefined;
  }
}
