import { expect, test } from "vitest";
import { torchIndexOf, withoutPassword } from "../../../server/trainer/torch-index.js";

test.each<[string, NodeJS.ProcessEnv, object | null]>([
  ["nothing", {}, null],
  ["an empty setting", { TRAIN_LORA_TORCH_INDEX: " " }, null],
  ["our own folder of builds", { TRAIN_LORA_TORCH_INDEX: "http://m/whl/" }, { root: "http://m/whl", build: null }],
  ["our own, with the build that is wished", { TRAIN_LORA_TORCH_INDEX: "http://m/whl/cu128" }, { root: "http://m/whl", build: "cu128" }],
  ["a folder on the disk", { TRAIN_LORA_TORCH_INDEX: "D:\\torch\\cpu" }, { root: "D:\\torch", build: "cpu" }],
  ["the WebUI's address", { TORCH_INDEX_URL: "https://m/whl/cu121" }, { root: "https://m/whl", build: null, from: "TORCH_INDEX_URL" }],
  ["an unstable build's", { TORCH_INDEX_URL: "https://m/whl/nightly/cu130" }, { root: "https://m/whl" }],
  ["an address that is no build's", { TORCH_INDEX_URL: "https://m/release/xpu/us/" }, null],
  [
    "a command with an index",
    { TORCH_COMMAND: "pip install torch torchvision --index-url https://m/whl/rocm6.4" },
    { root: "https://m/whl", from: "TORCH_COMMAND" },
  ],
  [
    "a command with one more index",
    { TORCH_COMMAND: 'pip install torch --extra-index-url="https://m/whl/cu113"; x' },
    { root: "https://m/whl" },
  ],
  ["a command with -i", { TORCH_COMMAND: "pip install torch -i https://m/whl/cpu" }, { root: "https://m/whl" }],
  [
    "a command with wheels",
    { TORCH_COMMAND: "pip install https://m/whl/nightly/rocm5.2/torch-2.0%2Brocm5.2-cp310.whl x" },
    { root: "https://m/whl" },
  ],
  [
    "a command with wheels beside each other",
    { TORCH_COMMAND: "pip install https://m/whl/torch/torch-2.9%2Brocm6.4.whl x" },
    { root: "https://m/whl" },
  ],
  [
    "a command without an address",
    { TORCH_COMMAND: "pip install torch==2.3.1", TRAIN_LORA_WEBUI_TORCH_INDEX: "https://w/whl/cu121" },
    { root: "https://w/whl", from: "the WebUI" },
  ],
  [
    "both of the WebUI's",
    { TORCH_COMMAND: "pip install torch -i https://a/whl/cpu", TORCH_INDEX_URL: "https://b/whl/cu121" },
    { root: "https://a/whl" },
  ],
  ["ours over the WebUI's", { TRAIN_LORA_TORCH_INDEX: "https://a/whl", TORCH_INDEX_URL: "https://b/whl/cu121" }, { root: "https://a/whl" }],
])("%s", (_, env, expected) => {
  if (expected === null) expect(torchIndexOf(env)).toBeNull();
  else expect(torchIndexOf(env)).toMatchObject(expected);
});

test("an address is shown without its password", () => {
  expect(withoutPassword("see https://anna:s3cret@m/whl/cu128")).toBe("see https://***@m/whl/cu128");
});
