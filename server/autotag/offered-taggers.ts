import type { OfferedTagger } from "../../protocol/autotag.js";
import type { TaggerFamily } from "../../protocol/autotag-options.js";
import { FailureError } from "../../protocol/errors.js";

/** The best ones first; sizes are about. */
export const OFFERED_TAGGERS: readonly OfferedTagger[] = [
  offer("SmilingWolf/wd-swinv2-tagger-v3", "wd", 470),
  offer("SmilingWolf/wd-vit-tagger-v3", "wd", 380),
  offer("SmilingWolf/wd-convnext-tagger-v3", "wd", 400),
  offer("SmilingWolf/wd-eva02-large-tagger-v3", "wd", 1260),
  offer("SmilingWolf/wd-vit-large-tagger-v3", "wd", 1260),
  offer("SmilingWolf/wd-v1-4-moat-tagger-v2", "wd", 330),
  offer("SmilingWolf/wd-v1-4-convnextv2-tagger-v2", "wd", 390),
  offer("SmilingWolf/wd-v1-4-swinv2-tagger-v2", "wd", 460),
  offer("SmilingWolf/wd-v1-4-vit-tagger-v2", "wd", 370),
  offer("cella110n/cl_tagger/cl_tagger_1_02", "cl", 1400),
  offer("chinoll/deepdanbooru", "deepdanbooru", 650),
];

/** What is fetched of a repository: `owner/name`, and for a CL tagger the folder inside it. */
export type WantedFiles = { readonly repository: string; readonly files: readonly string[]; readonly name: string };

/**
 * The files of an offered tagger; of any other repository those that the family has whose shape its name has: `owner/name` is a WD tagger,
 * `owner/name/folder` a CL tagger. Throws `bad_request`.
 */
export function filesOf(repository: string): WantedFiles {
  const trimmed = repository.trim().replace(/^\/+|\/+$/g, "");
  const parts = trimmed.split("/");
  if (parts.length < 2 || !parts.every((part) => /^[A-Za-z0-9][\w.-]*$/.test(part)))
    throw new FailureError(
      "bad_request",
      `Expected a tagger's repository as owner/name or owner/name/folder, but got "${repository}"; choose one of the list.`,
    );
  const family = OFFERED_TAGGERS.find((one) => one.repository === trimmed)?.family ?? (parts.length > 2 ? "cl" : "wd");
  const [owner = "", name = "", ...folder] = parts;
  const files = FILES[family].map((file) => [...folder, file].join("/"));
  return { repository: `${owner}/${name}`, files, name: folder.at(-1) ?? name };
}

const FILES: Record<TaggerFamily, readonly string[]> = {
  // The names first: they are small, and a hub that refuses says so at once.
  wd: ["selected_tags.csv", "model.onnx"],
  cl: ["tag_mapping.json", "model_optimized.onnx"],
  deepdanbooru: ["tags.txt", "deepdanbooru.onnx"],
};

function offer(repository: string, family: TaggerFamily, megabytes: number): OfferedTagger {
  return { repository, name: repository.split("/").at(-1) ?? repository, family, megabytes };
}
