import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blendedEpochs, readEpochs } from "../../../server/lora-tools/blended-epochs.js";
import { safetensors, type TestTensor } from "../library/write-files.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "blend-"));
  for (const epoch of [1, 2, 3]) await lora(`moss-00000${epoch}`, epoch);
  await lora("moss", 4);
  await lora("moss-mean", 4, { ss_training_comment: "blend of epochs 1-2; mine" });
  await lora("other", 2, { ss_session_id: "8" });
  await writeFile(join(folder, "broken.safetensors"), "no LoRA");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function lora(name: string, epoch: number, facts: Record<string, string> = {}): Promise<void> {
  const pair = (layer: string, down: number[], up: number[]): Record<string, TestTensor> => ({
    [`${layer}.lora_down.weight`]: { shape: down },
    [`${layer}.lora_up.weight`]: { shape: up },
  });
  const tensors = {
    ...pair("lora_unet_mid_block_attentions_0_proj_in", [6, 4, 1, 1], [4, 6, 1, 1]),
    ...pair("lora_unet_mid_block_resnets_0_conv1", [2, 4, 3, 3], [4, 2, 1, 1]),
  };
  const metadata = { ss_session_id: "7", ss_epoch: String(epoch), ss_training_comment: "mine", ...facts };
  await writeFile(join(folder, `${name}.safetensors`), safetensors(tensors, metadata));
}

describe("epochs to blend", () => {
  test.each([
    ["6-9", [6, 7, 8, 9]],
    ["3,5,8", [3, 5, 8]],
    [" 1 - 2, 2, 4 ", [1, 2, 4]],
  ])("%j are %j", (text, epochs) => {
    expect(readEpochs(text)).toEqual(epochs);
  });

  test.each(["", "6", "9-6", "0-3", "a-b", "1,,2", "1-2000", "5,5"])("%j are refused in a sentence", (text) => {
    expect(() => readEpochs(text)).toThrowError(/at least two epochs such as 6-9/);
  });

  test("are found by what the files say of their run, and merged alike at their own dims", async () => {
    const file = join(folder, "moss.safetensors");
    const merge = await blendedEpochs({ tool: "blend", file, epochs: "2-4", out: join(folder, "new.safetensors") });
    expect(merge).toEqual({
      tool: "merge",
      files: ["moss-000002", "moss-000003", "moss"].map((name) => join(folder, `${name}.safetensors`)),
      weights: [1 / 3, 1 / 3, 1 / 3],
      out: join(folder, "new.safetensors"),
      dim: 6,
      convDim: 2,
      note: "blend of epochs 2-4",
    });
  });

  test("that are not there are named, with those that are", async () => {
    const file = join(folder, "moss.safetensors");
    await expect(blendedEpochs({ tool: "blend", file, epochs: "3-6", out: "x" })).rejects.toThrowError(
      /none of 5, 6; there are 1, 2, 3, 4/,
    );
    await writeFile(join(folder, "foreign.safetensors"), safetensors({ a: { shape: [1] } }));
    const foreign = { tool: "blend", file: join(folder, "foreign.safetensors"), epochs: "1-2", out: "x" } as const;
    await expect(blendedEpochs(foreign)).rejects.toThrowError(/does not say which run wrote it/);
  });
});
