import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/**
 * sha256 in hex over a whole safetensors file, and over its tensor block alone: the latter is kohya's `sshs_model_hash`,
 * which stays when metadata is edited and by which the WebUI knows a LoRA. One pass over the file.
 */
export async function fileHashes(path: string, headerBytes: number): Promise<{ file: string; model: string }> {
  const file = createHash("sha256");
  const model = createHash("sha256");
  let at = 0;
  for await (const part of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const bytes = Buffer.from(part);
    file.update(bytes);
    if (at + bytes.length > headerBytes) model.update(bytes.subarray(Math.max(0, headerBytes - at)));
    at += bytes.length;
  }
  return { file: file.digest("hex"), model: model.digest("hex") };
}
