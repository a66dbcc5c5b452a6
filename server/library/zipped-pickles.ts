import type { Readable } from "node:stream";
import { openPromise } from "yauzl";

/** The contents of every .pkl entry of a zip. Throws when the zip is broken or an entry is larger than `maxBytes`. */
export async function readZippedPickles(path: string, maxBytes: number): Promise<Buffer[]> {
  const zip = await openPromise(path, { lazyEntries: true, autoClose: false });
  try {
    const pickles: Buffer[] = [];
    for await (const entry of zip.eachEntry()) {
      if (!entry.fileName.toLowerCase().endsWith(".pkl")) continue;
      pickles.push(await collect(await zip.openReadStreamPromise(entry), entry.fileName, maxBytes));
    }
    return pickles;
  } finally {
    zip.close();
  }
}

async function collect(stream: Readable, name: string, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream) {
    const bytes = Buffer.from(part);
    size += bytes.length;
    if (size > maxBytes) throw new Error(`${name} is larger than ${maxBytes} bytes`);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}
