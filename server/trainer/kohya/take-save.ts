import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, open, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Plan, Run } from "../../../protocol/plan.js";
import { writeAtomically } from "../../dataset/write-atomically.js";
import { cardFileOf, mergeCard, readCard } from "../../library/lora-card.js";
import { readHeader } from "../../library/safetensors.js";
import { trainersCard } from "../keep-lora.js";

export type TakenSave = { readonly file: string; readonly bytes: number; readonly sshsModelHash: string };

/**
 * Moves a LoRA that sd-scripts has saved into the LoRA folder under the run's name for this epoch, with that name in its metadata (WebUIs
 * know LoRAs by it), and writes its card. A file that is there already stays. Null while sd-scripts still writes it.
 */
export async function takeSave(source: string, { plan, run, epoch }: { plan: Plan; run: Run; epoch: number }): Promise<TakenSave | null> {
  const header = await readHeader(source, "lora_corrupt").catch(() => null);
  const file = run.files[epoch - 1];
  if (header === null || file === undefined) return null;
  const target = join(run.loraDir, file);
  const stem = basename(file, ".safetensors");
  const metadata = { ...header.metadata, ss_output_name: stem, "modelspec.title": stem };
  const part = `${target}.part`;
  try {
    await rewrite({ source, target: part, tensors: header, metadata });
    // A link and not a rename, because a rename would replace what is there.
    await link(part, target).catch(async (error: unknown) => {
      if (codeOf(error) === "EEXIST") return;
      if ((await stat(target).catch(() => null)) === null) await rename(part, target);
    });
  } finally {
    await rm(part, { force: true });
  }
  await writeCard(target, { plan, epoch });
  await rm(source, { force: true });
  const { size } = await stat(target);
  return { file, bytes: size, sshsModelHash: await tensorHash(target) };
}

/** Where each tensor lies does not change: only the metadata in the header does. */
async function rewrite({
  source,
  target,
  tensors: { tensors, headerBytes },
  metadata,
}: {
  source: string;
  target: string;
  tensors: Awaited<ReturnType<typeof readHeader>>;
  metadata: Record<string, string>;
}): Promise<void> {
  const entries = [...tensors].map(([name, { dtype, shape, start, end }]) => [name, { dtype, shape, data_offsets: [start, end] }]);
  const json = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const text = Buffer.from(json);
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, " ")]);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(padded.length));
  const handle = await open(target, "w");
  try {
    await handle.write(Buffer.concat([prefix, padded]));
    for await (const chunk of createReadStream(source, { start: headerBytes })) await handle.write(chunk);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** sshs_model_hash: sha256 of everything behind the header. */
async function tensorHash(file: string): Promise<string> {
  const { headerBytes } = await readHeader(file, "lora_corrupt");
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { start: headerBytes })) hash.update(chunk);
  return hash.digest("hex");
}

async function writeCard(lora: string, { plan, epoch }: { plan: Plan; epoch: number }): Promise<void> {
  const file = cardFileOf(lora);
  const card = mergeCard(await readCard(file), trainersCard({ epochs: plan.settings.epochs }, plan, epoch), {});
  await writeAtomically(file, `${JSON.stringify(card, null, 4)}\n`);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
