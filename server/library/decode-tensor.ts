/** Values of a tensor's bytes (little endian) as float32; null for a dtype that no LoRA is saved in. */
export function decodeTensor(bytes: Buffer, dtype: string): Float32Array | null {
  const reader = readers.get(dtype);
  if (reader === undefined) return null;
  const [size, read] = reader;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(bytes.length / size);
  for (let index = 0; index < values.length; index++) values[index] = read(view, index * size);
  return values;
}

type Reader = readonly [bytes: number, read: (view: DataView, at: number) => number];

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["F32", [4, (view, at) => view.getFloat32(at, true)]],
  ["F64", [8, (view, at) => view.getFloat64(at, true)]],
  ["I32", [4, (view, at) => view.getInt32(at, true)]],
  ["I64", [8, (view, at) => Number(view.getBigInt64(at, true))]],
  ["F16", [2, (view, at) => float16(view.getUint16(at, true))]],
  ["BF16", [2, (view, at) => bfloat16(view.getUint16(at, true))]],
]);

const scratch = new DataView(new ArrayBuffer(4));

function bfloat16(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
