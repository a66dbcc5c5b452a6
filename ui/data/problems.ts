import type { Dataset, DatasetImage, Problem, ProblemCode } from "../../protocol/dataset.js";
import type { Filter } from "./route.js";

/** What can be wrong with a picture itself, as opposed to its caption. */
export const pictureCodes: ReadonlySet<ProblemCode> = new Set([
  "not_an_image",
  "truncated",
  "too_large",
  "too_small",
  "unsupported_format",
  "transparent",
  "beyond_3_to_1",
  "exif_orientation",
  "near_duplicate",
]);

/** The problems that the Pictures step is about. */
export function pictureProblems(dataset: Dataset): Problem[] {
  return dataset.problems.filter((problem) => pictureCodes.has(problem.code) && problem.images.length > 0);
}

/** The problems that the Tags step is about. */
export function captionProblems(dataset: Dataset): Problem[] {
  return dataset.problems.filter((problem) => !pictureCodes.has(problem.code) && problem.images.length > 0);
}

/** Pictures that have at least one problem which should be dealt with. */
export function imagesToFix(problems: readonly Problem[]): number {
  return new Set(problems.filter((problem) => problem.severity !== "info").flatMap((problem) => problem.images)).size;
}

export function hasFixable(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.fixable && problem.severity !== "info");
}

/** The pictures that a filter lets through; words must all occur in the name or the caption, a leading `-` turns one around. */
export function filterImages(images: readonly DatasetImage[], filter: Filter): DatasetImage[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return images.filter((image) => {
    if (filter.problem && !image.problems.some((code) => code === filter.problem)) return false;
    if (filter.has && !image.tags.includes(filter.has)) return false;
    const text = `${image.id}\n${image.caption ?? ""}`.toLowerCase();
    return words.every((word) => (word.startsWith("-") && word.length > 1 ? !text.includes(word.slice(1)) : text.includes(word)));
  });
}

/** True when a filter hides nothing. */
export function isUnfiltered(filter: Filter): boolean {
  return !filter.problem && !filter.has && !filter.text.trim();
}
