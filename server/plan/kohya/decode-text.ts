import { FailureError } from "../../../protocol/errors.js";

/**
 * The text of a settings file in whatever encoding editors and PowerShell leave behind: UTF-8, UTF-16 with or without a mark, else
 * Windows-1252. Line ends become "\n". Throws `bad_settings` for bytes that are no text.
 */
export function decodeText(bytes: Uint8Array, name: string): string {
  const text = decode(bytes);
  if (text.includes("\0"))
    throw new FailureError("bad_settings", `Expected a text file with settings at ${name}, but it holds binary data; choose another file.`);
  return text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
}

function decode(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return swapped(bytes);
  if (looksWide(bytes, 1)) return new TextDecoder("utf-16le").decode(bytes);
  if (looksWide(bytes, 0)) return swapped(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // What is no UTF-8 is what older Windows editors write.
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** In UTF-16 most characters of a settings file have one byte of zero. */
function looksWide(bytes: Uint8Array, zeroAt: 0 | 1): boolean {
  const some = bytes.subarray(0, 512);
  const zeros = some.filter((byte, index) => byte === 0 && index % 2 === zeroAt).length;
  return some.length >= 4 && zeros > some.length / 4;
}

function swapped(bytes: Uint8Array): string {
  const even = bytes.subarray(0, bytes.length - (bytes.length % 2));
  return new TextDecoder("utf-16le").decode(even.map((_, index) => even[index ^ 1] ?? 0));
}
