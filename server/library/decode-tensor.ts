/** Values of a tensor's bytes (little endian) as float32; null for a dtype that no LoRA is saved in. */
export function decodeTensor(bytes: Buffer, dtype: string): Float32Array | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (dtype) {
    case "F32":
      return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(index * 4, true));
    case "F64":
      return Float32Array.from({ length: bytes.length / 8 }, (_, index) => view.getFloat64(index * 8, true));
    case "I32":
      return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getInt32(index * 4, true));
    case "I64":
      return Float32Array.from({ length: bytes.length / 8 }, (_, index) => Number(view.getBigInt64(index * 8, true)));
    case "BF16":
      return decodeBf16(view, bytes.length / 2);
    case "F16":
      return decodeF16(view, bytes.length / 2);
    default:
      return null;
  }
}

function decodeBf16(view: DataView, length: number): Float32Array {
  const bits = new Uint32Array(length);
  for (let index = 0; index < length; index++) bits[index] = view.getUint16(index * 2, true) << 16;
  return new Float32Array(bits.buffer);
}

function decodeF16(view: DataView, length: number): Float32Array {
  const values = new Float32Array(length);
  for (let index = 0; index < length; index++) values[index] = f16(view.getUint16(index * 2, true));
  return values;
}

function f16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
