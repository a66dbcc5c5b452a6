import { expect, test } from "vitest";
import { readNvidia, withWebuisTorch } from "../../../server/trainer/machine-facts.js";
import type { MachineFacts } from "../../../server/trainer/torch-build.js";

const SMI = "| NVIDIA-SMI 535.104.05   Driver Version: 535.104.05   CUDA Version: 12.2     |";

test.each<[string, string, string, object | null]>([
  ["driver and cards", SMI, "8.6\n7.5\n", { cuda: 12.2, capabilities: [8.6, 7.5] }],
  [
    "a driver that does not know the question about cards",
    SMI,
    'Field "compute_cap" is not a valid field to query.',
    { cuda: 12.2, capabilities: [] },
  ],
  [
    "a driver that does not tell of CUDA",
    "| NVIDIA-SMI 552.22  Driver Version: 552.22  CUDA Version: N/A |",
    "8.9",
    { cuda: 12.4, capabilities: [8.9] },
  ],
  ["the kernel's own word", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27", "", { cuda: 13.0, capabilities: [] }],
  [
    "the open kernel module's",
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build",
    "",
    { cuda: 12.8, capabilities: [] },
  ],
  ["a driver from before", "| NVIDIA-SMI 390.157   Driver Version: 390.157 |", "", null],
  ["nothing", "", "", null],
])("%s", (_, smi, cards, expected) => {
  expect(readNvidia(smi, cards)).toEqual(expected);
});

const none: MachineFacts = { platform: "linux", arch: "x64", nvidia: null, rocm: null };

test("what the WebUI's torch works with counts where the machine does not answer", () => {
  expect(withWebuisTorch(none, "cuda 12.1 8.6 7.5", "").nvidia).toEqual({ cuda: 12.1, capabilities: [8.6, 7.5] });
  expect(withWebuisTorch(none, "rocm 6.2.41133", "").rocm).toBe(6.2);
  expect(withWebuisTorch(none, "cpu", "")).toEqual(none);
  expect(withWebuisTorch(none, "", "pip install torch --index-url http://m/whl/rocm6.4").rocm).toBe(0);
  const asked = { ...none, nvidia: { cuda: 13.0, capabilities: [8.9] } };
  expect(withWebuisTorch(asked, "cuda 12.1 8.9", "")).toEqual(asked);
});
