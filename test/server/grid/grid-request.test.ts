import { createHash } from "node:crypto";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { GridRequest } from "../../../protocol/grid.js";
import { gridRequest } from "../../../server/grid/grid-request.js";
import { safetensors, sd1Tensors } from "../library/write-files.js";

let home = "";
let loras: string[] = [];
let anime = "";

async function lora(name: string, metadata: Record<string, string>): Promise<string> {
  const path = join(home, name);
  await writeFile(
    path,
    safetensors({ "lora_unet_a.lora_down.weight": { shape: [1, 1] }, "lora_unet_a.lora_up.weight": { shape: [1, 1] } }, metadata),
  );
  return path;
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "request-"));
  const models = join(home, "models", "Stable-diffusion");
  await mkdir(models, { recursive: true });
  anime = join(models, "anime.safetensors");
  await writeFile(anime, safetensors(sd1Tensors));
  const metadata = { ss_sd_model_name: "anime.safetensors", ss_clip_skip: "2", ss_resolution: "(640, 513)" };
  loras = [
    await lora("m-000002.safetensors", { ...metadata, ss_epoch: "2" }),
    await lora("m-000004.safetensors", { ...metadata, ss_epoch: "4" }),
  ];
});

const settings = { weights: [0, 0.4, 1], prompts: ["mossling"], seeds: [7] };
const choice = () => ({ home, loras, outDir: "out", settings });

describe("a grid of LoRA files", () => {
  it("finds base model, size, clip skip and epochs in what the LoRAs say, and draws weight 0 as the shared column", async () => {
    const request = await gridRequest(choice());
    expect(() => GridRequest.parse(request)).not.toThrow();
    expect(request).toMatchObject({ baseModelPath: anime, width: 640, height: 512, clipSkip: 2, precision: "no", maxBatch: null });
    expect(request.settings).toMatchObject({ weights: [0.4, 1], prompts: ["mossling"], seeds: [7], sampler: "ddim", steps: 20 });
    expect(request.loras.map(({ epoch, label }) => [epoch, label])).toEqual([
      [2, "m-000002"],
      [4, "m-000004"],
    ]);
  });

  it("numbers the rows itself where the epochs are unknown or the same", async () => {
    const again = [loras[0]!, await lora("other.safetensors", { ss_sd_model_name: "anime", ss_epoch: "2" })];
    expect((await gridRequest({ ...choice(), loras: again })).loras.map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

  it("takes what was chosen before what the files say", async () => {
    const bare = await lora("bare.safetensors", {});
    const request = await gridRequest({
      ...choice(),
      loras: [bare],
      baseModel: "anime",
      width: 256,
      height: 320,
      precision: "bf16",
      maxBatch: 4,
    });
    expect(request).toMatchObject({ baseModelPath: anime, width: 256, height: 320, clipSkip: 1, precision: "bf16", maxBatch: 4 });
    expect(await gridRequest({ ...choice(), loras: [bare], baseModel: anime })).toMatchObject({ width: 512, height: 512 });
  });

  it("knows a renamed base model by its hash", async () => {
    const large = safetensors({
      ...sd1Tensors,
      "first_stage_model.x": { shape: [300_000], values: Array.from({ length: 300_000 }, (_, index) => index) },
    });
    const renamed = join(home, "models", "Stable-diffusion", "renamed.safetensors");
    await writeFile(renamed, large);
    const hash = createHash("sha256").update(large.subarray(0x100000, 0x110000)).digest("hex").slice(0, 8);
    const foreign = await lora("foreign.safetensors", { ss_sd_model_name: "was-called-so.safetensors", ss_sd_model_hash: hash });
    expect((await gridRequest({ ...choice(), loras: [foreign] })).baseModelPath).toBe(renamed);
  });

  it("is refused with a sentence when something is missing", async () => {
    const bare = await lora("bare.safetensors", {});
    const lost = await lora("lost.safetensors", { ss_sd_model_name: "gone.safetensors" });
    const refused = async (change: Partial<Parameters<typeof gridRequest>[0]>, code: string, sentence: RegExp) =>
      expect(gridRequest({ ...choice(), ...change })).rejects.toMatchObject({
        failure: { code, message: expect.stringMatching(sentence) },
      });
    await refused({ loras: [] }, "bad_request", /at least one LoRA/);
    await refused({ loras: [bare] }, "base_model_missing", /does not say/);
    await refused({ loras: [lost] }, "base_model_missing", /gone\.safetensors/);
    await refused({ loras: [join(home, "no.safetensors")] }, "not_found", /no file/);
    await refused({ baseModel: "nowhere.safetensors" }, "base_model_missing", /nowhere/);
    await refused({ settings: { ...settings, weights: [0] } }, "bad_request", /weight/);
    await refused({ settings: { ...settings, prompts: [] } }, "bad_request", /prompt/);
  });
});
