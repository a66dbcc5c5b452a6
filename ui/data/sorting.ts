import type { Dataset, DatasetImage } from "../../protocol/dataset.js";
import { folderOf, type Grade, gradeOf, gradeSubset, type PictureMove, PicturesMoved } from "../../protocol/sorting.js";
import type { Session } from "./session.js";

export type GradeCounts = { good: number; weak: number; other: number };

export function moveImages(session: Session, dataset: string, images: readonly string[], subset: string): Promise<PicturesMoved> {
  return session.connection.request(PicturesMoved, { type: "moveImages", dataset, images: [...images], subset });
}

export function rejectImages(session: Session, dataset: string, images: readonly string[]): Promise<PicturesMoved> {
  return session.connection.request(PicturesMoved, { type: "rejectImages", dataset, images: [...images] });
}

export function countGrades(images: readonly DatasetImage[]): GradeCounts {
  const counts = { good: 0, weak: 0, other: 0 };
  for (const { subset } of images) counts[gradeOf(subset) ?? "other"] += 1;
  return counts;
}

/** The subset of this grade for each of the pictures; those that have the grade already are left out. */
export function gradeTargets(dataset: Dataset, images: readonly string[], grade: Grade): Map<string, string[]> {
  const looseTokens = dataset.triggerWord || dataset.name;
  const targets = new Map<string, string[]>();
  for (const id of images) {
    const from = folderOf(id);
    if (gradeOf(from) === grade) continue;
    const subset = gradeSubset(from, grade, { subsets: dataset.subsets, looseTokens });
    targets.set(subset, [...(targets.get(subset) ?? []), id]);
  }
  return targets;
}

/** What the server will name pictures that move to a subset, as far as the page can know. */
export function foreseeMoves(dataset: Dataset, images: readonly string[], subset: string): PictureMove[] {
  const taken = new Set(dataset.images.filter((image) => image.subset === subset).map(({ id }) => stemOf(id).toLowerCase()));
  return images.flatMap((id) => {
    if (folderOf(id) === subset) return [];
    const name = id.slice(id.lastIndexOf("/") + 1);
    const stem = stemOf(id);
    let free = stem;
    for (let number = 2; taken.has(free.toLowerCase()); number++) free = `${stem}-${number}`;
    taken.add(free.toLowerCase());
    const renamed = `${free}${name.slice(stem.length)}`;
    return [{ from: id, to: subset === "." ? renamed : `${subset}/${renamed}` }];
  });
}

function stemOf(id: string): string {
  const name = id.slice(id.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? name : name.slice(0, dot);
}
