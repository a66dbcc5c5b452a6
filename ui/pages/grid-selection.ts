import type { Selection } from "../components/tl-xyz-grid.js";
import { type GridModel, noLora, type Place } from "../data/grid-model.js";
import type { GridView } from "../data/route.js";

/** What an address selects; null when it leaves the choice to the page. */
export function selectionOf({ epoch, weight }: GridView): Selection | null {
  if (epoch === null) return null;
  return { place: epoch === 0 ? noLora : { epoch, weight: weight ?? 1 }, row: Math.max(0, epoch - 1) };
}

/** The verdict's cell, or the first one while there is no verdict. */
export function firstSelection(model: GridModel): Selection {
  return selectionAt(model, model.verdict ?? { epoch: model.epochs[0] ?? 1, weight: model.weights[0] ?? 1 });
}

/** The selection of a place that a clause speaks of; weight 0 means the no-LoRA column beside that epoch. */
export function selectionAt(model: GridModel, { epoch, weight }: Place): Selection {
  return { place: weight === 0 ? noLora : { epoch, weight }, row: Math.max(0, model.epochs.indexOf(epoch)) };
}
