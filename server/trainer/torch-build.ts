/** What of this machine decides which build of torch can use it. */
export type MachineFacts = {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** The newest CUDA that the NVIDIA driver supports, and the compute capability of each card; none where the driver does not say. */
  readonly nvidia: { readonly cuda: number; readonly capabilities: readonly number[] } | null;
  /** Version of ROCm; 0 when an AMD card is there that does not say. */
  readonly rocm: number | null;
};

export type TorchKind = "cuda" | "rocm" | "mps" | "cpu";

export type TorchBuild = {
  readonly kind: TorchKind;
  /** torch's names for the builds that fit, best first; empty where there is one build only, or none of those offered fits. */
  readonly names: readonly string[];
  /** Why a GPU that is there stays unused, as a sentence. */
  readonly because?: string;
};

/** torch's builds of recent years; an index that can be asked says itself which ones a release has. */
export const KNOWN_BUILDS: readonly string[] = [
  ...["cu132", "cu130", "cu129", "cu128", "cu126", "cu118"],
  ...["rocm7.2", "rocm7.1", "rocm7.0", "rocm6.4", "rocm6.3", "rocm6.2", "cpu"],
];

/** Cards below this compute capability (Maxwell, Pascal, Volta) were dropped by the builds after CUDA 12.6. */
const LEAST_NEW_CAPABILITY = 7.5;
/** Cards from this one on (Blackwell) are known to CUDA 12.8 and newer. */
const BLACKWELL = 10;

/** Which build of torch this machine should have, among those that are `offered`: CUDA, ROCm, Apple's MPS, else the CPU's. */
export function torchBuildOf(facts: MachineFacts, offered: readonly string[] = KNOWN_BUILDS): TorchBuild {
  const { platform, arch, nvidia, rocm } = facts;
  if (platform === "darwin") return { kind: arch === "arm64" ? "mps" : "cpu", names: [] };
  if (nvidia !== null && cudaBuilds(nvidia, KNOWN_BUILDS).length > 0) return { kind: "cuda", names: cudaBuilds(nvidia, offered) };
  if (platform === "linux" && rocm !== null) return { kind: "rocm", names: rocmBuilds(rocm, offered) };
  const cpu = { kind: "cpu", names: offered.includes("cpu") ? ["cpu"] : [] } as const;
  return nvidia === null ? cpu : { ...cpu, because: tooOld(nvidia.cuda) };
}

/** The kind of a build by its name, such as cu128, rocm6.4 or cpu; null for a name that is none. */
export function kindOfName(name: string): TorchKind | null {
  if (/^cu\d{3}$/.test(name)) return "cuda";
  if (/^rocm\d+\.\d+(\.\d+)?$/.test(name)) return "rocm";
  return name === "cpu" ? "cpu" : null;
}

type Nvidia = NonNullable<MachineFacts["nvidia"]>;

// A driver runs every build of its CUDA's major version, of the newer ones all but a few features; older majors always.
function cudaBuilds({ cuda, capabilities }: Nvidia, offered: readonly string[]): string[] {
  const fitting = offered
    .filter((name) => kindOfName(name) === "cuda")
    .map((name) => ({ name, version: Number(name.slice(2)) / 10 }))
    .map((build) => ({ ...build, served: capabilities.filter((card) => serves(build.version, card)).length }))
    .filter(({ version, served }) => Math.floor(version) <= Math.floor(cuda) && (served > 0 || capabilities.length === 0));
  const group = (version: number) => (version <= cuda && Math.floor(version) === Math.floor(cuda) ? 0 : version > cuda ? 1 : 2);
  return fitting
    .sort((a, b) => {
      const groups = group(a.version) - group(b.version);
      return b.served - a.served || groups || (group(a.version) === 1 ? a.version - b.version : b.version - a.version);
    })
    .map(({ name }) => name);
}

function serves(version: number, capability: number): boolean {
  return capability < LEAST_NEW_CAPABILITY ? version <= 12.6 : capability < BLACKWELL || version >= 12.8;
}

// The builds bring ROCm along and need the kernel's driver alone, which supports the neighbouring releases too.
function rocmBuilds(rocm: number, offered: readonly string[]): string[] {
  const all = offered.filter((name) => kindOfName(name) === "rocm").map((name) => ({ name, version: Number.parseFloat(name.slice(4)) }));
  const fits = ({ version }: { version: number }) => rocm === 0 || version <= rocm;
  const newestFirst = all.filter(fits).sort((a, b) => b.version - a.version);
  const newer = all.filter((build) => !fits(build)).sort((a, b) => a.version - b.version);
  return [...newestFirst, ...newer].map(({ name }) => name);
}

function tooOld(cuda: number): string {
  return `The NVIDIA driver or card is too old for PyTorch's builds (the driver supports CUDA ${cuda.toFixed(1)}); update the driver to use the GPU.`;
}
