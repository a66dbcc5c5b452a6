import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { execa } from "execa";

/** What of this machine decides which build of torch can use it. */
export type MachineFacts = {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** The newest CUDA that the NVIDIA driver supports, and the least compute capability of its cards. */
  readonly nvidia: { readonly cuda: number; readonly capability: number } | null;
  /** Version of ROCm; 0 when it is there but does not say. */
  readonly rocm: number | null;
};

export type TorchBuild = {
  readonly kind: "cuda" | "rocm" | "mps" | "cpu";
  /** torch's names for the builds that fit, best first; empty where there is one build only. */
  readonly names: readonly string[];
};

/** torch's builds by the CUDA and the ROCm that they bring along, newest first; one that a release lacks is passed over. */
const CUDA_BUILDS = [13.0, 12.9, 12.8, 12.6, 11.8] as const;
const ROCM_BUILDS = [7.1, 7.0, 6.4, 6.3, 6.2] as const;

/** Cards below this compute capability (Maxwell, Pascal, Volta) were dropped by the builds after CUDA 12.6. */
const LEAST_NEW_CAPABILITY = 7.5;

const PROBE_MS = 15_000;

/** Which build of torch this machine should have: CUDA, ROCm, Apple's MPS, else the CPU's. */
export function torchBuildOf({ platform, arch, nvidia, rocm }: MachineFacts): TorchBuild {
  if (platform === "darwin") return { kind: arch === "arm64" ? "mps" : "cpu", names: [] };
  if (nvidia !== null) {
    const newest = nvidia.capability < LEAST_NEW_CAPABILITY ? Math.min(12.6, nvidia.cuda) : nvidia.cuda;
    const names = CUDA_BUILDS.filter((version) => version <= newest).map((version) => `cu${digits(version).replace(".", "")}`);
    if (names.length > 0) return { kind: "cuda", names };
  }
  if (platform === "linux" && rocm !== null) {
    const fitting = ROCM_BUILDS.filter((version) => rocm === 0 || version <= rocm);
    if (fitting.length > 0) return { kind: "rocm", names: fitting.map((version) => `rocm${digits(version)}`) };
  }
  return { kind: "cpu", names: ["cpu"] };
}

/** Asks the machine; a program that is not there is an answer as well. */
export async function machineFacts(): Promise<MachineFacts> {
  return { platform: process.platform, arch: process.arch, nvidia: await askNvidia(), rocm: await askRocm() };
}

async function askNvidia(): Promise<MachineFacts["nvidia"]> {
  const said = await output("nvidia-smi", []);
  const cuda = Number(/CUDA Version:\s*(\d+\.\d+)/.exec(said)?.[1]);
  if (!Number.isFinite(cuda)) return null;
  const capabilities = (await output("nvidia-smi", ["--query-gpu=compute_cap", "--format=csv,noheader"]))
    .split("\n")
    .map((line) => Number.parseFloat(line))
    .filter((value) => value > 0);
  // An older driver does not know the question; its cards are taken as new ones, as its CUDA is old anyway.
  return { cuda, capability: capabilities.length > 0 ? Math.min(...capabilities) : 99 };
}

async function askRocm(): Promise<number | null> {
  if (process.platform !== "linux") return null;
  const version = await readFile("/opt/rocm/.info/version", "utf8").catch(() => "");
  const number = Number(/^(\d+\.\d+)/.exec(version)?.[1]);
  if (Number.isFinite(number)) return number;
  const there = existsSync("/opt/rocm") || (await output("rocminfo", [])) !== "";
  return there ? 0 : null;
}

async function output(program: string, args: readonly string[]): Promise<string> {
  const result = await execa(program, args, { reject: false, stdin: "ignore", timeout: PROBE_MS });
  return result.failed ? "" : result.stdout;
}

function digits(version: number): string {
  return version.toFixed(1);
}
