import type { AutotagRun, TaggerList } from "../../protocol/autotag.js";
import { FailureError } from "../../protocol/errors.js";
import { applyAutotag } from "../autotag/apply-autotag.js";
import { readTaggerScores } from "../autotag/dataset-scores.js";
import { downloadTagger, hubEndpoint } from "../autotag/download-tagger.js";
import { chooseTagger, type FoundTagger, findTaggers } from "../autotag/find-taggers.js";
import { filesOf, OFFERED_TAGGERS } from "../autotag/offered-taggers.js";
import { scoreDataset } from "../autotag/score-dataset.js";
import { readDisagreements, settleDisagreements } from "../autotag/settle-disagreements.js";
import { type TaggerPlace, taggerPlaces } from "../autotag/tagger-places.js";
import { installTaggerRuntime, taggerPython, taggerRuntime } from "../autotag/tagger-runtime.js";
import type { State } from "../state.js";
import type { Handlers } from "./handlers.js";

type AutotagType =
  | "listTaggers"
  | "installTagger"
  | "downloadTagger"
  | "runAutotag"
  | "readScores"
  | "applyAutotag"
  | "readDisagreements"
  | "settleDisagreements";

/** Taggers: what is there, what can be had, and what they say of a data set's pictures. */
export function autotagHandlers(state: State): Pick<Handlers, AutotagType> {
  const root = (name: string) => state.datasets.root(name);
  const places = (): Promise<TaggerPlace[]> => taggerPlaces({ home: state.paths.home, facts: state.webui.state()?.facts });
  // A page names a tagger by its id; a path would let it look around on this machine.
  const named = async (id: string): Promise<FoundTagger> => {
    if (!/^[0-9a-f]{16}$/.test(id))
      throw new FailureError("bad_request", `Expected a tagger's id, but got "${id}"; choose one of the list.`);
    return chooseTagger(id, await places());
  };
  return {
    listTaggers: () => listTaggers(state, places),
    async installTagger() {
      const { paths, tasks } = state;
      const task = tasks.run("install", null, (tell, signal) =>
        installTaggerRuntime(paths, {
          onProgress: (message) => tell({ message }),
          onBytes: (done, total) => tell({ done, total }),
          signal,
        }),
      );
      return { task: heard(task) };
    },
    async downloadTagger({ repository }) {
      // Refused at once instead of by a task.
      filesOf(repository);
      const python = await taggerPython(state.paths);
      const { paths, tasks } = state;
      return {
        task: heard(tasks.run("modelDownload", null, (tell, signal) => downloadTagger({ paths, repository, python, tell, signal }))),
      };
    },
    async runAutotag({ dataset, tagger: id, images }) {
      const [tagger, python] = [await named(id), await taggerPython(state.paths)];
      // A training that runs has the GPU for itself.
      const device = state.queue.busy() ? "cpu" : "auto";
      const folder = root(dataset);
      const task = state.tasks.run("autotag", dataset, async (tell, signal) => {
        const run = await scoreDataset({ root: folder, tagger, python, images, device, tell, signal });
        tell({ message: wordsOf(tagger, run) });
        return run;
      });
      return { task: heard(task) };
    },
    readScores: ({ dataset, tagger }) => readTaggerScores(root(dataset), tagger),
    async applyAutotag({ dataset, tagger: id, options, images, dryRun }) {
      return applyAutotag(root(dataset), { tagger: await named(id), options, images, dryRun });
    },
    readDisagreements: ({ dataset, tagger }) => readDisagreements(root(dataset), tagger),
    settleDisagreements: ({ dataset, tagger, accept, keep }) => settleDisagreements(root(dataset), tagger, { accept, keep }),
  };
}

async function listTaggers(state: State, places: () => Promise<TaggerPlace[]>): Promise<TaggerList> {
  const found = await findTaggers(await places());
  const taggers = found.map(({ id, name, family, bytes, place }) => ({ id, name, family, bytes, place }));
  const there = new Set(taggers.map(({ name }) => name));
  const offered = OFFERED_TAGGERS.filter(({ name }) => !there.has(name));
  return { runtime: await taggerRuntime(state.paths), taggers, offered, hub: new URL(hubEndpoint()).host };
}

// The task carries how it ended; nobody here waits for it.
function heard({ id, ended }: { id: string; ended: Promise<unknown> }): string {
  ended.catch(() => undefined);
  return id;
}

function wordsOf(tagger: FoundTagger, { device, unreadable }: AutotagRun): string {
  const on = device === null ? "" : ` (${device === "cpu" ? "CPU" : "GPU"})`;
  const [first] = unreadable;
  const lost = first === undefined ? "" : `; ${unreadable.length} could not be read, such as ${first.image}: ${first.reason}`;
  return `${tagger.name}${on}${lost}`;
}
