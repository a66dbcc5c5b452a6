import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { FailureError } from "../../../protocol/errors.js";
import { readHeader } from "../../../server/library/safetensors.js";
import { safetensors, withHeader } from "./write-files.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "library-"));
});

async function file(name: string, bytes: Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

const good = safetensors({ a: { shape: [2, 3] }, b: { shape: [4], dtype: "F16" } }, { ss_epoch: "3" });

describe("a safetensors header", () => {
  it("is read with its metadata, shapes and offsets", async () => {
    const header = await readHeader(await file("good.safetensors", good));
    expect(header.metadata).toEqual({ ss_epoch: "3" });
    expect(header.tensors.get("b")).toEqual({ dtype: "F16", shape: [4], start: 24, end: 32 });
    expect(header.headerBytes + 32).toBe(header.fileBytes);
  });

  it("may hold a tensor without elements and a scalar", async () => {
    const header = await readHeader(
      await file("small.safetensors", safetensors({ empty: { shape: [0] }, alpha: { shape: [], values: [1] } })),
    );
    expect(header.tensors.get("alpha")?.shape).toEqual([]);
  });

  const entry = (shape: number[], offsets: number[], dtype = "F32") => JSON.stringify({ a: { dtype, shape, data_offsets: offsets } });
  const broken: [string, Buffer, RegExp][] = [
    ["is empty", Buffer.alloc(0), /only 0 bytes/],
    ["is cut off inside its header", good.subarray(0, 40), /ends inside its header/],
    ["is cut off inside its tensors", good.subarray(0, good.length - 5), /cut off/],
    ["is a web page", Buffer.from("<!DOCTYPE html><html></html>"), /does not begin with the length/],
    ["has a header that is no JSON", withHeader("{not json}", Buffer.alloc(4)), /not a JSON object/],
    ["has a list for a header", withHeader("[1, 2, 3]", Buffer.alloc(4)), /not a JSON object/],
    ["has metadata that are no texts", withHeader('{"__metadata__":{"a":1}}', Buffer.alloc(0)), /not a list of texts/],
    ["describes a tensor without a shape", withHeader('{"a":{"dtype":"F32"}}', Buffer.alloc(4)), /"a" in an unknown way/],
    ["has a tensor of another size than its shape", withHeader(entry([2], [0, 4]), Buffer.alloc(4)), /another size/],
    ["has a gap before a tensor", withHeader(entry([1], [4, 8]), Buffer.alloc(8)), /place of the tensor "a"/],
    ["has an offset that runs backwards", withHeader(entry([1], [0, -4]), Buffer.alloc(8)), /unknown way/],
    ["has bytes that belong to no tensor", withHeader(entry([1], [0, 4]), Buffer.alloc(9)), /5 bytes at its end/],
  ];
  it.each(broken)("that %s is corrupt, and the sentence says why", async (name, bytes, reason) => {
    const path = await file(`${name.replaceAll(" ", "-")}.safetensors`, bytes);
    await expect(readHeader(path)).rejects.toMatchObject({
      failure: { code: "base_model_corrupt", message: expect.stringMatching(reason) },
    });
    await expect(readHeader(path, "lora_corrupt")).rejects.toMatchObject({ failure: { code: "lora_corrupt" } });
  });

  it("cut anywhere or changed anywhere in its header gives a failure or a header, never a bug", async () => {
    const start = 8 + Number(good.readBigUInt64LE());
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.nat(start - 1), fc.nat(255), async (length, at, value) => {
        await expect(readHeader(await file("fuzz.safetensors", good.subarray(0, length)))).rejects.toBeInstanceOf(FailureError);
        const changed = Buffer.from(good);
        changed[at] = value;
        const result = await readHeader(await file("fuzz.safetensors", changed)).catch((thrown: unknown) => thrown);
        if (result instanceof Error) expect(result).toBeInstanceOf(FailureError);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it("of a missing file is a fact of its own", async () => {
    await expect(readHeader(join(folder, "none.safetensors"))).rejects.toMatchObject({ failure: { code: "base_model_missing" } });
    await expect(readHeader(folder, "lora_corrupt")).rejects.toMatchObject({ failure: { code: "not_found" } });
  });
});
