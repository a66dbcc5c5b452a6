import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { MachineFacts } from "./torch-build.js";

const PROBE_MS = 15_000;
const KFD_NODES = "/sys/class/kfd/kfd/topology/nodes";

/** The CUDA of NVIDIA's driver branches, for drivers that only tell their own version: [branch, CUDA]. */
const CUDA_OF_DRIVER = [
  ...[[595, 13.2] as const, [590, 13.1] as const, [580, 13.0] as const, [575, 12.9] as const, [570, 12.8] as const],
  ...[[560, 12.6] as const, [555, 12.5] as const, [550, 12.4] as const, [545, 12.3] as const, [535, 12.2] as const],
  ...[[530, 12.1] as const, [525, 12.0] as const, [520, 11.8] as const, [450, 11.0] as const],
];

/** Asks the machine, and a WebUI around us what its own torch works with; a program that is not there is an answer as well. */
export async function machineFacts(env: NodeJS.ProcessEnv = process.env): Promise<MachineFacts> {
  const facts = { platform: process.platform, arch: process.arch, nvidia: await askNvidia(), rocm: await askRocm() };
  return withWebuisTorch(facts, env.TRAIN_LORA_WEBUI_TORCH ?? "", env.TORCH_COMMAND ?? "");
}

/**
 * `said` is what the WebUI's torch computes on: "cuda 12.1 8.6" with the capability of each card, "rocm 6.2", or anything else. It counts
 * where the machine itself did not answer. `command` is TORCH_COMMAND: whoever chose a ROCm build by it has an AMD card.
 */
export function withWebuisTorch(facts: MachineFacts, said: string, command: string): MachineFacts {
  if (facts.nvidia !== null) return facts;
  const [kind, version = "", ...cards] = said.trim().split(/\s+/);
  const number = Number.parseFloat(version);
  if (kind === "cuda" && number > 0)
    return { ...facts, nvidia: { cuda: number, capabilities: cards.map(Number).filter((card) => card > 0) } };
  if (facts.rocm !== null) return facts;
  if (kind === "rocm") return { ...facts, rocm: number > 0 ? number : 0 };
  return /\brocm\d/.test(command) ? { ...facts, rocm: 0 } : facts;
}

/** What `nvidia-smi`, and its answer about the cards, tell of CUDA; null when they tell nothing. */
export function readNvidia(smi: string, cards: string): MachineFacts["nvidia"] {
  const cuda = Number(/CUDA(?: UMD)? Version\s*:\s*(\d+\.\d+)/.exec(smi)?.[1] ?? Number.NaN);
  const driver = /Driver Version\s*:\s*(\d+)\./.exec(smi)?.[1] ?? /Kernel Module.*?\s(\d{3})\.\d/.exec(smi)?.[1];
  const supported = Number.isFinite(cuda) ? cuda : cudaOfDriver(Number(driver));
  if (supported === null) return null;
  const capabilities = cards
    .split("\n")
    .map((line) => Number.parseFloat(line))
    .filter((value) => value > 0);
  return { cuda: supported, capabilities };
}

function cudaOfDriver(branch: number): number | null {
  return CUDA_OF_DRIVER.find(([first]) => branch >= first)?.[1] ?? null;
}

async function askNvidia(): Promise<MachineFacts["nvidia"]> {
  for (const program of nvidiaSmi()) {
    const said = await output(program, []);
    // An older driver does not know the second question.
    if (said !== "") return readNvidia(said, await output(program, ["--query-gpu=compute_cap", "--format=csv,noheader"]));
  }
  return readNvidia(await readFile("/proc/driver/nvidia/version", "utf8").catch(() => ""), "");
}

function nvidiaSmi(): string[] {
  if (process.platform === "darwin") return [];
  if (process.platform !== "win32") return ["nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi"];
  const { ProgramFiles = "C:\\Program Files", SystemRoot = "C:\\Windows" } = process.env;
  return [
    "nvidia-smi",
    join(SystemRoot, "System32", "nvidia-smi.exe"),
    join(ProgramFiles, "NVIDIA Corporation", "NVSMI", "nvidia-smi.exe"),
  ];
}

async function askRocm(): Promise<number | null> {
  if (process.platform !== "linux") return null;
  const version = await readFile("/opt/rocm/.info/version", "utf8").catch(() => "");
  const number = Number(/^(\d+\.\d+)/.exec(version)?.[1]);
  if (Number.isFinite(number)) return number;
  const there = existsSync("/opt/rocm") || (await hasAmdCard()) || (await output("rocminfo", [])) !== "";
  return there ? 0 : null;
}

// The kernel lists processors and cards alike; a graphics unit inside a processor counts cores of both kinds.
async function hasAmdCard(): Promise<boolean> {
  const nodes = await readdir(KFD_NODES).catch(() => []);
  const texts = await Promise.all(nodes.map((node) => readFile(join(KFD_NODES, node, "properties"), "utf8").catch(() => "")));
  return texts.some((text) => /^gfx_target_version [1-9]/m.test(text) && /^cpu_cores_count 0$/m.test(text));
}

async function output(program: string, args: readonly string[]): Promise<string> {
  const result = await execa(program, args, { reject: false, stdin: "ignore", timeout: PROBE_MS });
  return result.failed ? "" : result.stdout;
}
