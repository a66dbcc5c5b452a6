import type { Dataset, DatasetImage, Problem, ProblemCode } from "../../protocol/dataset.js";
import { filterByText } from "./picture-filter.js";
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
  "low_information",
  "dark",
  "light",
  "monochrome",
  "comic",
  "several_characters",
  "same_background",
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

/** The pictures that a filter lets through. */
export function filterImages(images: readonly DatasetImage[], filter: Filter): readonly DatasetImage[] {
  return filterByText(withProblemAndTag(images, filter), filter.text).images;
}

/** What can't be understood in a filter's text, or null. */
export function filterError(filter: Filter): string | null {
  return filterByText([], filter.text).error;
}

function withProblemAndTag(images: readonly DatasetImage[], { problem, has }: Filter): readonly DatasetImage[] {
  if (!problem && !has) return images;
  return images.filter((image) => {
    if (problem && !image.problems.some((code) => code === problem)) return false;
    return !has || image.tags.includes(has);
  });
}

/** True when a filter hides nothing. */
export function isUnfiltered(filter: Filter): boolean {
  return !filter.problem && !filter.has && !filter.text.trim();
}
