import { crc32, deflateRawSync } from "node:zlib";

export type ZipEntry = {
  name: string;
  content: Uint8Array;
  deflate?: boolean;
  encrypted?: boolean;
  /** Unix mode, kept in the high half of the external attributes. */
  mode?: number;
  /** Written as the unpacked size instead of the true one. */
  claimedSize?: number;
};

/** A zip of these entries, honest or not. */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const packed = entry.deflate ? deflateRawSync(entry.content) : Buffer.from(entry.content);
    const data = entry.encrypted ? Buffer.concat([Buffer.alloc(12), packed]) : packed;
    const fields = fieldsOf(entry, data.length);
    const name = Buffer.from(entry.name);
    const local = Buffer.concat([Buffer.from("504b0304", "hex"), fields, name, data]);
    const attributes = Buffer.alloc(14);
    attributes.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    attributes.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from("504b01021403", "hex"), fields, attributes, name]));
    locals.push(local);
    offset += local.length;
  }
  const list = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, list, end]);
}

/** Version to extra-field length, which the local and the central header share. */
function fieldsOf({ name, content, deflate, encrypted, claimedSize }: ZipEntry, packedSize: number): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(0x800 | (encrypted ? 1 : 0), 2);
  fields.writeUInt16LE(deflate ? 8 : 0, 4);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(packedSize, 14);
  fields.writeUInt32LE(claimedSize ?? content.length, 18);
  fields.writeUInt16LE(Buffer.byteLength(name), 22);
  return fields;
}
