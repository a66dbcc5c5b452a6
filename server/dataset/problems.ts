import { type Problem, ProblemCode, type Severity } from "../../protocol/dataset.js";
import type { DecodedCaption } from "./caption-bytes.js";
import { captionProblems } from "./caption-fix.js";
import { findDuplicates } from "./duplicates.js";
import { lookProblems, sameBackground } from "./look-problems.js";
import { hasPictureName } from "./picture-names.js";
import { pictureProblems } from "./picture-problems.js";
import { plainCaptionProblems } from "./plain-caption.js";
import { describeProblem } from "./problem-message.js";
import { isRegularisation } from "./regularisation.js";
import type { ScannedImage } from "./scan-folder.js";

/** Codes of each picture by id, and the problems with their pictures, both in the order of the contract. */
export type FoundProblems = { byImage: Map<string, ProblemCode[]>; problems: Problem[] };

export function findProblems(images: readonly ScannedImage[], triggerWord: string): FoundProblems {
  const duplicates = findDuplicates(images);
  const repeated = new Set(duplicates.map(({ id }) => id));
  const plain = sameBackground(images);
  const byImage = new Map(images.map((image) => [image.id, codesOf(image, { repeated, plain, triggerWord })]));
  const problems = CODES.flatMap((code): Problem[] => {
    const concerned = images.filter(({ id }) => byImage.get(id)?.includes(code));
    if (concerned.length === 0) return [];
    const message = describeProblem(code, concerned, { duplicates, triggerWord });
    const fixable = concerned.some((image) => isFixable(code, image, triggerWord));
    return [{ code, severity: SEVERITIES[code], message, images: concerned.map(({ id }) => id), fixable }];
  });
  return { byImage, problems };
}

/** True when `dataset fix` can cure this problem of this picture. */
export function isFixable(code: ProblemCode, { facts }: ScannedImage, triggerWord: string): boolean {
  switch (code) {
    case "not_an_image":
    case "truncated":
    case "too_small":
    case "low_information":
    case "dark":
    case "light":
    case "monochrome":
    case "comic":
    case "several_characters":
    case "same_background":
      return false;
    case "too_large":
    case "unsupported_format":
      return facts.ok;
    case "no_caption":
    case "empty_caption":
      return triggerWord !== "";
    default:
      return true;
  }
}

const SEVERITIES: Record<ProblemCode, Severity> = {
  not_an_image: "error",
  truncated: "error",
  too_large: "error",
  too_small: "warning",
  unsupported_format: "error",
  transparent: "warning",
  beyond_3_to_1: "warning",
  exif_orientation: "warning",
  near_duplicate: "warning",
  low_information: "info",
  dark: "info",
  light: "info",
  monochrome: "info",
  comic: "info",
  several_characters: "info",
  same_background: "info",
  no_caption: "warning",
  empty_caption: "warning",
  caption_bom: "warning",
  caption_encoding: "warning",
  caption_multi_line: "warning",
  caption_lint: "info",
  junk_tags: "warning",
  costume_tags: "warning",
  trigger_not_first: "warning",
};

const CODES = ProblemCode.options;

type SetFacts = { repeated: ReadonlySet<string>; plain: ReadonlySet<string>; triggerWord: string };

function codesOf(image: ScannedImage, { repeated, plain, triggerWord }: SetFacts): ProblemCode[] {
  const codes = pictureProblems(image.facts);
  if (repeated.has(image.id)) codes.push("near_duplicate");
  codes.push(...lookProblems(image));
  if (plain.has(image.id)) codes.push("same_background");
  return [...codes, ...captionCodes(image, isRegularisation(image.subset) ? "" : triggerWord)];
}

/** By caption, because a scan that finds the same one again need not think again; `triggerWord` is the one that was asked with. */
const known = new WeakMap<DecodedCaption, { triggerWord: string; codes: ProblemCode[] }>();

function codesOfCaption(caption: DecodedCaption, triggerWord: string): ProblemCode[] {
  const before = known.get(caption);
  if (before?.triggerWord === triggerWord) return before.codes;
  const codes = plainCaptionProblems(caption, triggerWord) ?? captionProblems(caption, triggerWord);
  known.set(caption, { triggerWord, codes });
  return codes;
}

/** A caption that lies beside `a.png` as `a.png.txt` is found by us but not by trainers: lint, like any other form that they miss. */
function captionCodes({ id, captionFile, caption }: ScannedImage, triggerWord: string): ProblemCode[] {
  const codes = caption === null ? captionProblems(null, triggerWord) : codesOfCaption(caption, triggerWord);
  const isHidden = captionFile !== null && hasPictureName(captionFile, id);
  return isHidden && !codes.includes("caption_lint") ? [...codes, "caption_lint"] : codes;
}
