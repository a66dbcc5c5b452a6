import { createHash } from "node:crypto";
import { open } from "node:fs/promises";

/**
 * The WebUI's old short hash of a checkpoint (`ss_sd_model_hash`): 8 hex digits of sha256 over 64 KiB at 1 MiB.
 * null for a file that ends before that, because all such files would have the same.
 */
export async function shortModelHash(path: string): Promise<string | null> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(0x10000), 0, 0x10000, 0x100000);
    return bytesRead === 0 ? null : createHash("sha256").update(buffer.subarray(0, bytesRead)).digest("hex").slice(0, 8);
  } finally {
    await file.close();
  }
}
