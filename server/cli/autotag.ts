import { resolve } from "node:path";
import type { AutotagReport, AutotagRun, TaggerList } from "../../protocol/autotag.js";
import { type AutotagOptions, defaultOptions, MergeMode, UnionOrder } from "../../protocol/autotag-options.js";
import { LabelCategory } from "../../protocol/tag-scores.js";
import { applyAutotag } from "../autotag/apply-autotag.js";
import { downloadTagger, hubEndpoint } from "../autotag/download-tagger.js";
import { chooseTagger, type FoundTagger, findTaggers } from "../autotag/find-taggers.js";
import { OFFERED_TAGGERS } from "../autotag/offered-taggers.js";
import { scoreDataset } from "../autotag/score-dataset.js";
import { taggerPlaces } from "../autotag/tagger-places.js";
import { installTaggerRuntime, taggerPython, taggerRuntime } from "../autotag/tagger-runtime.js";
import { type HomePaths, homePaths } from "../paths.js";
import { defineCommand, UsageError } from "./command.js";
import { decimalNumber } from "./numbers.js";
import type { Output } from "./output.js";

/** Taggers without a data set: what is there, and how to get more. */
export const taggersCommand = defineCommand({
  words: "dataset taggers",
  summary: "tell which taggers are on this machine, install what runs them, download one",
  help: `dataset taggers [--install] [--download REPOSITORY]

Looks in <home>/taggers, in the folders of WebUI extensions, in the hub's cache and in sd-scripts (SD_SCRIPTS_DIR).

  --install               install onnxruntime, which runs them, into the trainer's venv
  --download REPOSITORY   fetch a tagger from the hub (HF_ENDPOINT names another one)

Example: train-lora dataset taggers --install --download SmilingWolf/wd-vit-tagger-v3`,
  options: { install: { type: "boolean", default: false }, download: { type: "string" } },
  positionals: [],
  async run({ values, home, out }) {
    const paths = homePaths(home);
    if (values.install) await installTaggerRuntime(paths, { onProgress: out.note });
    if (values.download !== undefined) await download(paths, values.download, out);
    const taggers = await findTaggers(await places(paths));
    const list: TaggerList = {
      runtime: await taggerRuntime(paths),
      taggers: taggers.map(({ id, name, family, bytes, place }) => ({ id, name, family, bytes, place })),
      offered: [...OFFERED_TAGGERS],
      hub: new URL(hubEndpoint()).host,
    };
    out.result(list, describeList(list, taggers));
  },
});

export const autotagCommand = defineCommand({
  words: "dataset autotag",
  summary: "tag pictures by an ONNX tagger; scores are kept, captions can be undone",
  help: `dataset autotag DIR --tagger NAME [--threshold CATEGORY=N …] [--merge MODE] [--dry-run]

  --tagger NAME             a name of dataset taggers, or the path of a tagger's folder or model
  --threshold CATEGORY=N …  0 to 1, or off: general, character, copyright, artist, meta, rating, quality, model
  --mcut                    thresholds lie in the widest gap between a picture's scores
  --merge MODE              append, prepend, union, missing or replace (default: append)
  --order ORDER             of a union: score, alphabet or category
  --exclude TAG …           tags that are never given; * stands for any text
  --keep-underscores        booru names as they are
  --cpu                     leave the GPU to others
  --scores-only             keep the scores and change no caption
  --dry-run                 only tell what would become of the captions

Example: train-lora dataset autotag my-pictures --tagger wd-vit-tagger-v3 --threshold general=0.4 --merge missing`,
  options: {
    tagger: { type: "string" },
    threshold: { type: "string", multiple: true },
    mcut: { type: "boolean", default: false },
    merge: { type: "string" },
    order: { type: "string" },
    exclude: { type: "string", multiple: true },
    "keep-underscores": { type: "boolean", default: false },
    cpu: { type: "boolean", default: false },
    "scores-only": { type: "boolean", default: false },
    "dry-run": { type: "boolean", default: false },
  },
  lists: ["--threshold", "--exclude"],
  positionals: ["DIR"],
  async run({ values, positionals: [dir = ""], home, out }) {
    if (values.tagger === undefined)
      throw new UsageError("Expected --tagger NAME, but it was not given; dataset taggers tells which there are.");
    const paths = homePaths(home);
    const tagger = await chooseTagger(values.tagger, await places(paths));
    const options: AutotagOptions = {
      ...defaultOptions(tagger.family),
      mcut: values.mcut,
      merge: choice("--merge", values.merge ?? "append", MergeMode.options),
      order: choice("--order", values.order ?? "score", UnionOrder.options),
      exclude: values.exclude ?? [],
      keepUnderscores: values["keep-underscores"],
    };
    const thresholds = { ...options.thresholds, ...givenThresholds(values.threshold ?? []) };
    const run = await score(dir, { tagger, paths, out, device: values.cpu ? "cpu" : "auto" });
    const dryRun = values["dry-run"];
    const report = values["scores-only"] ? null : await applyAutotag(resolve(dir), { tagger, options: { ...options, thresholds }, dryRun });
    out.result({ run, report }, describeRun(run, report, dryRun));
  },
});

function places(paths: HomePaths) {
  return taggerPlaces({ home: paths.home, facts: undefined });
}

async function download(paths: HomePaths, repository: string, out: Output): Promise<void> {
  const python = await taggerPython(paths);
  await downloadTagger({ paths, repository, python, tell: progressNotes(out), signal: interruption() });
}

type Scoring = { tagger: FoundTagger; paths: HomePaths; out: Output; device: "auto" | "cpu" };

async function score(dir: string, { tagger, paths, out, device }: Scoring): Promise<AutotagRun> {
  const python = await taggerPython(paths);
  const signal = interruption();
  const run = await scoreDataset({ root: resolve(dir), tagger, python, device, tell: progressNotes(out), signal });
  if (signal.aborted) out.note("Stopped; the scores so far are kept, and the same command goes on with the rest.");
  return run;
}

// Ctrl-C ends it after the present batch, with everything kept.
function interruption(): AbortSignal {
  const stopper = new AbortController();
  process.once("SIGINT", () => stopper.abort()).once("SIGTERM", () => stopper.abort());
  return stopper.signal;
}

function progressNotes(out: Output): (progress: { done?: number; total?: number; message?: string }) => void {
  let [said, total, toldAt] = ["", 0, 0];
  return (progress) => {
    said = progress.message ?? said;
    total = progress.total ?? total;
    if (progress.done === undefined || Date.now() - toldAt < 1000) return;
    toldAt = Date.now();
    out.note(`${said}: ${progress.done} of ${total}`);
  };
}

function givenThresholds(given: readonly string[]): Partial<AutotagOptions["thresholds"]> {
  return Object.fromEntries(
    given.map((text) => {
      const [name = "", value = ""] = text.split("=");
      const category = choice("--threshold", name, LabelCategory.options);
      const number = value === "off" ? null : decimalNumber("--threshold", value);
      if (number === undefined || (number !== null && (number < 0 || number > 1)))
        throw new UsageError(`--threshold wants CATEGORY=N with N of 0 to 1 or off, but got "${text}".`);
      return [category, number];
    }),
  );
}

function choice<Word extends string>(option: string, text: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw new UsageError(`${option} knows ${words.join(", ")}, but got "${text}".`);
}

function describeList({ runtime, offered, hub }: TaggerList, taggers: readonly FoundTagger[]): string {
  const runs = runtime.state === "ready" ? `onnxruntime is there (${runtime.build}).` : "onnxruntime is not installed yet: --install.";
  const there = taggers.map(({ name, family, model }) => `  ${name} (${family}): ${model}`);
  const more = offered.map(({ repository, megabytes }) => `  ${repository} (about ${megabytes} MB)`);
  return [runs, ...(there.length > 0 ? there : ["There is no tagger on this machine yet."]), `${hub} has:`, ...more].join("\n");
}

function describeRun(run: AutotagRun, report: AutotagReport | null, dryRun: boolean): string {
  const lost = run.unreadable.map(({ image, reason }) => `  could not be read: ${image}: ${reason}`);
  const scored = `${run.scored} pictures scored${run.device === null ? "" : ` on the ${run.device === "cpu" ? "CPU" : "GPU"}`}, ${run.known} known already.`;
  if (report === null) return [scored, ...lost].join("\n");
  const changes = report.changes.map(({ image, before, after }) => `  ${image}: ${before || "–"} → ${after}`);
  const count = `${changes.length} ${changes.length === 1 ? "caption" : "captions"}`;
  const head = dryRun ? `${count} would change:` : `${count} changed${report.editId === null ? "." : `, as the edit ${report.editId}:`}`;
  return [scored, ...lost, head, ...changes].join("\n");
}
