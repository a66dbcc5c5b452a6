import { UsageError } from "./command.js";

/** The whole number of an option; undefined when it was not given. Throws UsageError. */
export function wholeNumber(option: string, text: string | undefined, { min = 1 }: { min?: number } = {}): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < min)
    throw new UsageError(`${option} wants a whole number of at least ${min}, but got "${text}".`);
  return value;
}

/** The same for an option that must be there. */
export function neededNumber(option: string, text: string | undefined, range: { min?: number } = {}): number {
  const value = wholeNumber(option, text, range);
  if (value === undefined) throw new UsageError(`Expected ${option} N, but it was not given.`);
  return value;
}

/** A number, whole or not; undefined when it was not given. Throws UsageError. */
export function decimalNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new UsageError(`${option} wants a number, but got "${text}".`);
  return value;
}

/** Numbers between commas, as in `0,0.4,1`. Throws UsageError. */
export function numberList(option: string, text: string): number[] {
  return text.split(",").map((part) => decimalNumber(option, part) ?? 0);
}

/** `WxH` in pixels. Throws UsageError. */
export function pixelSize(option: string, text: string | undefined): { width: number; height: number } {
  const [, width, height] = /^(\d+)x(\d+)$/i.exec(text?.trim() ?? "") ?? [];
  if (!Number(width) || !Number(height))
    throw new UsageError(`${option} wants WIDTHxHEIGHT in pixels, such as 512x512, but got "${text ?? ""}".`);
  return { width: Number(width), height: Number(height) };
}
