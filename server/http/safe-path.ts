import { realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { FailureError } from "../../protocol/errors.js";

/**
 * The existing file below `root` that a request names by its path segments. Dot files, empty segments, separators inside a segment and
 * links that lead out are all `not_found`: a request learns nothing of what lies outside.
 */
export function fileBelow(root: string, segments: readonly string[]): string {
  const absent = new FailureError("not_found", `There is no file "${segments.join("/")}" here.`);
  if (segments.length === 0 || !segments.every(isPlainSegment)) throw absent;
  try {
    const folder = realpathSync(root);
    const file = realpathSync(join(folder, ...segments));
    if (file.startsWith(folder + sep)) return file;
  } catch {
    // It does not exist, or may not be seen; both are the same answer.
  }
  throw absent;
}

/** A name that stays inside the folder it is joined to, on every system. */
export function isPlainSegment(segment: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be in a file's name
  return segment.length > 0 && segment.length <= 255 && !/^\.|[\\/:\u0000-\u001f]|[. ]$/.test(segment);
}
