import { expect, test } from "vitest";
import { type MachineFacts, torchBuildOf } from "../../../server/trainer/torch-build.js";

const linux: MachineFacts = { platform: "linux", arch: "x64", nvidia: null, rocm: null };

test.each<[string, MachineFacts, string, string[]]>([
  ["no GPU", linux, "cpu", ["cpu"]],
  ["a driver for CUDA 12.8", { ...linux, nvidia: { cuda: 12.8, capability: 8.6 } }, "cuda", ["cu128", "cu126", "cu118"]],
  [
    "a newer driver than all builds",
    { ...linux, nvidia: { cuda: 13.9, capability: 12 } },
    "cuda",
    ["cu130", "cu129", "cu128", "cu126", "cu118"],
  ],
  ["a Pascal card with a new driver", { ...linux, nvidia: { cuda: 13.0, capability: 6.1 } }, "cuda", ["cu126", "cu118"]],
  ["a driver that is too old for every build", { ...linux, nvidia: { cuda: 11.2, capability: 7.5 } }, "cpu", ["cpu"]],
  ["Windows with NVIDIA", { ...linux, platform: "win32", nvidia: { cuda: 12.6, capability: 8.9 } }, "cuda", ["cu126", "cu118"]],
  ["ROCm 6.4", { ...linux, rocm: 6.4 }, "rocm", ["rocm6.4", "rocm6.3", "rocm6.2"]],
  ["a ROCm that does not say its version", { ...linux, rocm: 0 }, "rocm", ["rocm7.1", "rocm7.0", "rocm6.4", "rocm6.3", "rocm6.2"]],
  ["an Apple chip", { ...linux, platform: "darwin", arch: "arm64" }, "mps", []],
  ["an Intel Mac", { ...linux, platform: "darwin" }, "cpu", []],
])("%s", (_, facts, kind, names) => {
  expect(torchBuildOf(facts)).toEqual({ kind, names });
});
