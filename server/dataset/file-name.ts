import { extname } from "node:path";
import { FailureError } from "../../protocol/errors.js";

const RESERVED = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;
const MAX_LENGTH = 120;

/** A name of one file or folder that every system accepts: composed letters, no reserved names or characters, not hidden. */
export function safeName(name: string): string {
  const plain = name
    .normalize("NFC")
    .replace(/[\p{Cc}\p{Cf}<>:"/\\|?*]/gu, "_")
    .trim()
    .replace(/^\.+/, "");
  const extension = extname(plain).slice(0, 16);
  const stem = [...plain.slice(0, plain.length - extname(plain).length)]
    .slice(0, MAX_LENGTH)
    .join("")
    .replace(/[. ]+$/, "");
  const named = `${stem === "" ? "_" : stem}${extension.replace(/[. ]+$/, "")}`;
  return RESERVED.test(named) ? `_${named}` : named;
}

/** The name of a data set as a folder, NFC. Throws `bad_request` for a name that no folder can have on every system. */
export function checkDatasetName(name: string): string {
  const plain = name.normalize("NFC").trim();
  if (plain !== "" && plain.length <= MAX_LENGTH && !plain.endsWith(".") && safeName(plain) === plain) return plain;
  throw new FailureError(
    "bad_request",
    `Expected a name for the data set that can be a folder (no / \\ : * ? " < > |, no leading dot, at most ${MAX_LENGTH} letters), but got "${name}"; choose another one.`,
  );
}

/** Gives out names that differ even where case does not count: `a.png`, `a-2.png`, … judged by the stem, because captions share it. */
export function stemsOfFolder(): (stem: string) => string {
  const taken = new Set<string>();
  return (stem) => {
    for (let number = 1; ; number++) {
      const candidate = number === 1 ? stem : `${stem}-${number}`;
      if (taken.has(candidate.toLowerCase())) continue;
      taken.add(candidate.toLowerCase());
      return candidate;
    }
  };
}
