import { expect, test } from "vitest";
import { type MachineFacts, torchBuildOf } from "../../../server/trainer/torch-build.js";

const linux: MachineFacts = { platform: "linux", arch: "x64", nvidia: null, rocm: null };
const nvidia = (cuda: number, ...capabilities: number[]) => ({ cuda, capabilities });
const offered = ["cu126", "cu129", "cu130", "rocm6.4", "rocm7.1", "cpu"];

test.each<[string, MachineFacts, string, string[]]>([
  ["no GPU", linux, "cpu", ["cpu"]],
  ["a driver for CUDA 13.0", { ...linux, nvidia: nvidia(13.0, 8.6) }, "cuda", ["cu130", "cu129", "cu126"]],
  ["a driver newer than all builds", { ...linux, nvidia: nvidia(13.4, 8.9) }, "cuda", ["cu130", "cu129", "cu126"]],
  ["a driver of a major version that no build has yet", { ...linux, nvidia: nvidia(14.1, 12) }, "cuda", ["cu130", "cu129"]],
  ["a driver for CUDA 12.8", { ...linux, nvidia: nvidia(12.8, 8.6) }, "cuda", ["cu126", "cu129"]],
  ["a driver for CUDA 12.2, which runs every build of CUDA 12", { ...linux, nvidia: nvidia(12.2, 7.5) }, "cuda", ["cu126", "cu129"]],
  ["a driver that is too old for what is offered", { ...linux, nvidia: nvidia(11.8, 7.5) }, "cuda", []],
  ["a driver that is too old for every build", { ...linux, nvidia: nvidia(10.2, 7.5) }, "cpu", ["cpu"]],
  ["a Pascal card with a new driver", { ...linux, nvidia: nvidia(13.0, 6.1) }, "cuda", ["cu126"]],
  ["a Blackwell card", { ...linux, nvidia: nvidia(12.8, 12.0) }, "cuda", ["cu129"]],
  ["a Pascal card beside an Ampere one", { ...linux, nvidia: nvidia(13.0, 6.1, 8.6) }, "cuda", ["cu126", "cu130", "cu129"]],
  ["a driver that does not tell of its cards", { ...linux, nvidia: nvidia(12.6) }, "cuda", ["cu126", "cu129"]],
  ["Windows with NVIDIA", { ...linux, platform: "win32", nvidia: nvidia(12.6, 8.9) }, "cuda", ["cu126", "cu129"]],
  ["Windows with AMD, for which there is no build", { ...linux, platform: "win32", rocm: 6.4 }, "cpu", ["cpu"]],
  ["NVIDIA beside AMD", { ...linux, nvidia: nvidia(13.0, 8.6), rocm: 7.1 }, "cuda", ["cu130", "cu129", "cu126"]],
  ["ROCm 7.0", { ...linux, rocm: 7.0 }, "rocm", ["rocm6.4", "rocm7.1"]],
  ["a ROCm older than all builds, which bring their own", { ...linux, rocm: 6.1 }, "rocm", ["rocm6.4", "rocm7.1"]],
  ["an AMD card that does not say its ROCm", { ...linux, rocm: 0 }, "rocm", ["rocm7.1", "rocm6.4"]],
  ["an Apple chip", { ...linux, platform: "darwin", arch: "arm64" }, "mps", []],
  ["an Intel Mac", { ...linux, platform: "darwin" }, "cpu", []],
])("%s", (_, facts, kind, names) => {
  expect(torchBuildOf(facts, offered)).toMatchObject({ kind, names });
});

test("a GPU that no build can use is told", () => {
  expect(torchBuildOf({ ...linux, nvidia: nvidia(10.2, 7.5) }).because).toContain("CUDA 10.2");
  expect(torchBuildOf({ ...linux, nvidia: nvidia(12.2, 8.6) }).because).toBeUndefined();
});

test("without an answer from the index the builds of recent years are tried in the same order", () => {
  expect(torchBuildOf({ ...linux, nvidia: nvidia(12.8, 8.6) }).names).toEqual(["cu128", "cu126", "cu129", "cu118"]);
  expect(torchBuildOf({ ...linux, rocm: 6.4 }).names.slice(0, 2)).toEqual(["rocm6.4", "rocm6.3"]);
});
