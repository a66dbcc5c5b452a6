import { isAscii } from "node:buffer";

/** A caption file as text. `encoding` is null for UTF-8, else the name of what it was; `bom` is a UTF-8 byte order mark. */
export type DecodedCaption = { text: string; encoding: string | null; bom: boolean };

/**
 * The text of a caption file. UTF-8 is believed when the bytes are valid UTF-8; UTF-16 is known by its mark or its zero
 * bytes; other bytes are Shift JIS when that gives kana, else CP1251 or CP1252 by whether the foreign letters form words.
 */
export function decodeCaption(bytes: Uint8Array): DecodedCaption {
  if (isPlain(bytes))
    return { text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1"), encoding: null, bom: false };
  const utf16 = utf16Of(bytes);
  if (utf16 !== null) return { text: decodeAs(utf16, bytes), encoding: "UTF-16", bom: false };
  const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const utf8 = decodeStrictly("utf-8", bytes);
  if (utf8 !== null) return { text: utf8, encoding: null, bom };
  const japanese = decodeStrictly("shift_jis", bytes);
  if (japanese !== null && isJapanese(japanese)) return { text: japanese, encoding: "Shift JIS", bom: false };
  return formsWords(bytes)
    ? { text: decodeAs("windows-1251", bytes), encoding: "CP1251", bom: false }
    : { text: decodeAs("windows-1252", bytes), encoding: "CP1252", bom: false };
}

/** Nearly all captions are ASCII, which is the same text in each of these encodings. */
function isPlain(bytes: Uint8Array): boolean {
  return isAscii(bytes) && !bytes.includes(0);
}

function utf16Of(bytes: Uint8Array): "utf-16le" | "utf-16be" | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  let even = 0;
  let odd = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 0) i % 2 === 0 ? even++ : odd++;
  }
  // Commas and spaces alone make a fifth of the high bytes zero in any alphabet.
  if (bytes.length % 2 !== 0 || Math.max(even, odd) * 20 < bytes.length) return null;
  if (odd > 4 * even) return "utf-16le";
  return even > 4 * odd ? "utf-16be" : null;
}

function decodeAs(label: string, bytes: Uint8Array): string {
  return new TextDecoder(label).decode(bytes);
}

function decodeStrictly(label: string, bytes: Uint8Array): string | null {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    // Not this encoding: that is the answer.
    return null;
  }
}

function isJapanese(text: string): boolean {
  const foreign = text.match(/[^\p{ASCII}]/gu)?.length ?? 0;
  const kana = text.match(/[\u3041-\u30ff]/g)?.length ?? 0;
  return kana * 3 >= foreign;
}

/** Cyrillic comes in words of its own; a Western accented letter stands between ASCII letters. */
function formsWords(bytes: Uint8Array): boolean {
  const isLatin = (byte: number | undefined) => byte !== undefined && ((byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a));
  let foreign = 0;
  let besideLatin = 0;
  for (let i = 0; i < bytes.length; i++) {
    if ((bytes[i] ?? 0) < 0x80) continue;
    foreign++;
    if (isLatin(bytes[i - 1]) || isLatin(bytes[i + 1])) besideLatin++;
  }
  return besideLatin * 2 < foreign;
}
