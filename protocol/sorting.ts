import { z } from "zod";
import type { Dataset, Subset } from "./dataset.js";

/** A picture's old and new id; `to` is null for one that went to the trash. */
export const PictureMove = z.object({ from: z.string(), to: z.string().nullable() });
export type PictureMove = z.infer<typeof PictureMove>;

/** What an edit of pictures answers; `editId` is null when they were all there already. */
export const PicturesMoved = z.object({ editId: z.string().nullable(), moves: z.array(PictureMove) });
export type PicturesMoved = z.infer<typeof PicturesMoved>;

/** Messages about many pictures at once; each is one edit. `subset` may be new, "." is the data set's own folder. */
export const SortingMessage = [
  z.object({ id: z.int(), type: z.literal("moveImages"), dataset: z.string(), images: z.array(z.string()).min(1), subset: z.string() }),
  z.object({ id: z.int(), type: z.literal("rejectImages"), dataset: z.string(), images: z.array(z.string()).min(1) }),
] as const;

export const SortingResult = { moveImages: PicturesMoved, rejectImages: PicturesMoved };

/** How much a picture is worth; what is worth nothing is rejected. */
export const Grade = z.enum(["good", "weak"]);
export type Grade = z.infer<typeof Grade>;

/** The grade that a subset's name tells: `10_lantern keeper` is good, `5_lantern keeper weak` weak, other folders have none. */
export function gradeOf(subset: string): Grade | null {
  const { concept, repeats } = readName(subset);
  if (repeats === null || isRegularisation(subset)) return null;
  return WEAK.test(concept) ? "weak" : "good";
}

/**
 * Name of the subset that holds the pictures of this grade of the concept to which `subset` belongs: one that is there, else a new one whose
 * repeats are twice (good) or half (weak, at least 1) of the other's. Loose pictures belong to the concept `looseTokens`.
 */
export function gradeSubset(
  subset: string,
  grade: Grade,
  { subsets, looseTokens }: { subsets: readonly Subset[]; looseTokens: string },
): string {
  const { parent, concept } = subset === "." ? { parent: "", concept: asFolder(looseTokens) } : readName(subset);
  const tokens = concept.replace(WEAK, "").trim();
  const [here, other] = grade === "good" ? [tokens, `${tokens} weak`] : [`${tokens} weak`, tokens];
  const there = largest(subsets, parent, here);
  if (there !== null) return there.name;
  const repeats = largest(subsets, parent, other)?.repeats ?? (grade === "good" ? 1 : 2);
  return `${parent}${grade === "good" ? Math.max(1, repeats * 2) : Math.max(1, Math.floor(repeats / 2))}_${here}`;
}

/** The data set after these moves, as a scan would find it, except for what a scan would find out anew about the set. */
export function applyMoves(dataset: Dataset, moves: readonly PictureMove[]): Dataset {
  if (moves.length === 0) return dataset;
  const target = new Map(moves.map(({ from, to }) => [from, to]));
  const idAfter = (id: string) => (target.has(id) ? (target.get(id) ?? null) : id);
  const images = dataset.images.flatMap((image) => {
    const id = idAfter(image.id);
    return id === null ? [] : [id === image.id ? image : { ...image, id, subset: folderOf(id) }];
  });
  if (moves.some(({ to }) => to !== null)) images.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const problems = dataset.problems.flatMap((problem) => {
    if (!problem.images.some((id) => target.has(id))) return [problem];
    const left = problem.images.flatMap((id) => idAfter(id) ?? []);
    return left.length === 0 ? [] : [{ ...problem, images: left }];
  });
  return { ...dataset, images, problems, subsets: subsetsAfter(dataset, images) };
}

/** The subset in which a picture with this id lies. */
export function folderOf(id: string): string {
  const at = id.lastIndexOf("/");
  return at < 0 ? "." : id.slice(0, at);
}

/** A trigger word may hold what no folder's name can. */
function asFolder(tokens: string): string {
  return tokens.replace(/[<>:"/\\|?*]/g, "_").trim() || "pictures";
}

const WEAK = /(^| )weak$/i;

function isRegularisation(subset: string): boolean {
  return /^reg(\/|$)/i.test(subset);
}

/** The last folder of a subset's path, read as kohya's `<repeats>_<class tokens>`; any other folder is a concept by its whole name. */
function readName(subset: string): { parent: string; concept: string; repeats: number | null } {
  const at = subset.lastIndexOf("/") + 1;
  const [parent, name] = [subset.slice(0, at), subset.slice(at)];
  const match = /^(\d{1,6})_(.*)$/.exec(name);
  const repeats = Number(match?.[1]);
  return match === null || repeats < 1 ? { parent, concept: name, repeats: null } : { parent, concept: (match[2] ?? "").trim(), repeats };
}

/** The subset with these class tokens that has most pictures. */
function largest(subsets: readonly Subset[], parent: string, tokens: string): Subset | null {
  return subsets
    .filter(({ name }) => {
      const read = readName(name);
      return read.repeats !== null && read.parent === parent && read.concept === tokens;
    })
    .reduce<Subset | null>((best, one) => (best === null || one.images > best.images ? one : best), null);
}

function subsetsAfter(dataset: Dataset, images: Dataset["images"]): Subset[] {
  const counts = new Map<string, number>();
  for (const { subset } of images) counts.set(subset, (counts.get(subset) ?? 0) + 1);
  const known = new Map(dataset.subsets.map((subset) => [subset.name, subset]));
  return [...counts]
    .map(([name, count]) => ({ ...(known.get(name) ?? newSubset(name)), images: count }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function newSubset(name: string): Subset {
  const { concept, repeats } = readName(name);
  return { name, repeats: repeats ?? 1, classTokens: repeats === null ? "" : concept, images: 0 };
}
