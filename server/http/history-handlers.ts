import { compareMoments } from "../dataset/compare-moments.js";
import { datasetHistory } from "../dataset/history.js";
import { rollBackDataset } from "../dataset/roll-back.js";
import { redoEdit } from "../dataset/undo.js";
import type { State } from "../state.js";
import type { Handlers } from "./handlers.js";

/** The moments of a data set: what was done, what differs between two of them, and the ways back and forth. */
export function historyHandlers({
  datasets,
}: State): Pick<Handlers, "datasetHistory" | "compareDataset" | "rollBackDataset" | "redoDataset"> {
  return {
    datasetHistory: async ({ dataset, before, limit }) => datasetHistory(datasets.root(dataset), { before, limit }),
    compareDataset: async ({ dataset, from, to }) => compareMoments(datasets.root(dataset), from, to),
    rollBackDataset: async ({ dataset, editId }) => rollBackDataset(datasets.root(dataset), editId),
    redoDataset: async ({ dataset }) => redoEdit(datasets.root(dataset)),
  };
}
