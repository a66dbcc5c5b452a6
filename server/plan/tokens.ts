import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkoutRoot } from "../checkout.js";

/** Tokens of one chunk without its begin and end marks. */
export const CHUNK_TOKENS = 75;

/**
 * Tokens of a text for the text encoder of Stable Diffusion 1, without begin and end marks: CLIP's byte-pair encoding
 * (Radford et al. 2021) as its tokenizer runs it, with composed letters, lower case and single spaces.
 */
export function countTokens(text: string): number {
  const plain = text.normalize("NFC").replace(/\s+/g, " ").toLowerCase();
  let count = 0;
  for (const [word] of plain.matchAll(WORD)) count += tokensOf(word);
  return count;
}

/** The smallest of 75, 150 and 225 that holds so many tokens, and 225 for more. */
export function tokenLengthFor(tokens: number): 75 | 150 | 225 {
  if (tokens <= CHUNK_TOKENS) return 75;
  return tokens <= 2 * CHUNK_TOKENS ? 150 : 225;
}

const WORD = /<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/gu;

// Enough for every word of a large data set, and an end to growth for a server that runs for weeks.
const MAX_REMEMBERED = 100_000;
const remembered = new Map<string, number>();

function tokensOf(word: string): number {
  const known = remembered.get(word);
  if (known !== undefined) return known;
  if (word.endsWith("text|>")) return 1;
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  const count = merge(symbolsOf(word)).length;
  remembered.set(word, count);
  return count;
}

/** The word's UTF-8 bytes, each as a printable character, the last one marked as the word's end. */
function symbolsOf(word: string): string[] {
  const symbols = [...Buffer.from(word, "utf8")].map((byte) => BYTE_SYMBOLS[byte] ?? "");
  const last = symbols.pop() ?? "";
  return [...symbols, `${last}</w>`];
}

/** Joins the pair that was learnt first, everywhere, until no learnt pair is left. */
function merge(symbols: string[]): string[] {
  const ranks = loadRanks();
  let parts = symbols;
  for (;;) {
    let best: string | undefined;
    let lowest = Number.POSITIVE_INFINITY;
    for (let i = 0; i + 1 < parts.length; i++) {
      const pair = `${parts[i]} ${parts[i + 1]}`;
      const rank = ranks.get(pair) ?? Number.POSITIVE_INFINITY;
      if (rank < lowest) [best, lowest] = [pair, rank];
    }
    if (best === undefined) return parts;
    parts = joinPair(parts, best);
  }
}

function joinPair(parts: readonly string[], pair: string): string[] {
  const joined: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    const isPair = i + 1 < parts.length && `${parts[i]} ${parts[i + 1]}` === pair;
    joined.push(isPair ? `${parts[i]}${parts[i + 1]}` : (parts[i] ?? ""));
    if (isPair) i++;
  }
  return joined;
}

/** GPT-2's printable stand-in of each byte: itself where it prints, else a letter from 256 on. */
const BYTE_SYMBOLS = byteSymbols();

function byteSymbols(): string[] {
  const prints = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(prints(byte) ? byte : next++));
}

// CLIP's vocabulary has two times 256 single symbols and two marks among its 49,408 entries; the rest are merges.
const MERGES = 49_408 - 2 * 256 - 2;
let ranksOfPairs: Map<string, number> | undefined;

function loadRanks(): Map<string, number> {
  if (ranksOfPairs === undefined) {
    const file = join(checkoutRoot(), "trainer-py", "pocket", "model", "clip", "merges.txt");
    const lines = readFileSync(file, "utf8").split("\n");
    ranksOfPairs = new Map(lines.slice(1, MERGES + 1).map((line, rank) => [line.trim(), rank]));
  }
  return ranksOfPairs;
}
