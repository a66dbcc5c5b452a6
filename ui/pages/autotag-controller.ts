import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Tagger, TaggerList } from "../../protocol/autotag.js";
import { AutotagOptions, defaultOptions, type TaggerFamily } from "../../protocol/autotag-options.js";
import type { Task } from "../../protocol/task.js";
import { ActionController } from "../components/action-controller.js";
import { applyAutotag, downloadTagger, installTagger, listTaggers, readScores, runAutotag } from "../data/autotag.js";
import { noScores, type ReadScores, unpackAll } from "../data/autotag-preview.js";
import { readPreference, writePreference } from "../data/preferences.js";
import type { Session } from "../data/session.js";
import type { AppState } from "../data/store.js";
import { t } from "../locales/locale.js";

type Host = ReactiveControllerHost & { session: Session; state: AppState; datasetName: string; onCaptions(done: string): void };

const CHOSEN = "train-lora:tagger";

/** Taggers and what one of them says of a data set: read when the panel is opened, and again when a task of theirs has ended. */
export class AutotagController implements ReactiveController {
  readonly action: ActionController;
  list: TaggerList | null = null;
  tagger: Tagger | null = null;
  scores: ReadScores = noScores;
  options: AutotagOptions = defaultOptions("wd");
  readonly #host: Host;
  #shown = "";
  #awaited: string | null = null;
  #seen = false;

  constructor(host: Host) {
    this.#host = host;
    this.action = new ActionController(host);
    host.addController(this);
  }

  hostUpdate(): void {
    const { datasetName } = this.#host;
    if (this.list !== null && this.#shown !== datasetName && !this.action.running) void this.#loadScores();
    const task = this.#task(this.#awaited);
    if (task !== undefined) this.#seen = true;
    // The answer may be here before the news of its task; one that was seen and is gone ended with its server.
    if (this.#awaited === null || task?.state === "running" || !this.#seen) return;
    this.#awaited = null;
    void this.load();
  }

  /** The task that the person started here, while it runs. */
  get task(): Task | undefined {
    return this.#task(this.#awaited);
  }

  async load(): Promise<void> {
    const list = await this.action.run(t("working.taggers"), () => listTaggers(this.#host.session));
    if (list === undefined) return;
    this.list = list;
    const wanted = this.tagger?.id ?? readPreference(CHOSEN);
    this.#take(list.taggers.find(({ id }) => id === wanted) ?? list.taggers[0] ?? null);
    await this.#loadScores();
  }

  async choose(id: string): Promise<void> {
    const tagger = this.list?.taggers.find((one) => one.id === id);
    if (tagger === undefined) return;
    writePreference(CHOSEN, id);
    this.#take(tagger);
    await this.#loadScores();
  }

  /** The choice stays in this browser, for each family of taggers its own. */
  change(options: AutotagOptions): void {
    this.options = options;
    if (this.tagger !== null) writePreference(optionsKey(this.tagger.family), JSON.stringify(options));
    this.#host.requestUpdate();
  }

  install(): Promise<void> {
    return this.#start((session) => installTagger(session));
  }

  download(repository: string): Promise<void> {
    return this.#start((session) => downloadTagger(session, repository));
  }

  run(): Promise<void> {
    const { tagger } = this;
    if (tagger === null) return Promise.resolve();
    return this.#start((session) => runAutotag(session, this.#host.datasetName, tagger.id));
  }

  /** Writes the captions that the preview shows; `images` are those that it is about. */
  async apply(images: string[] | null): Promise<void> {
    const { session, datasetName: dataset } = this.#host;
    const { tagger, options } = this;
    if (tagger === null) return;
    const request = { dataset, tagger: tagger.id, options, ...(images === null ? {} : { images }) };
    const report = await this.action.run(t("working.captions"), () => applyAutotag(session, request));
    if (report) this.#host.onCaptions(t("autotag.done", { n: report.changes.length }));
  }

  #take(tagger: Tagger | null): void {
    if (tagger !== null && tagger.family !== this.tagger?.family) this.options = readOptions(tagger.family);
    this.tagger = tagger;
  }

  async #start(work: (session: Session) => Promise<string>): Promise<void> {
    this.#seen = false;
    const task = await this.action.run(t("working.taggers"), () => work(this.#host.session));
    if (task !== undefined) this.#awaited = task;
    this.#host.requestUpdate();
  }

  async #loadScores(): Promise<void> {
    const { session, datasetName } = this.#host;
    this.#shown = datasetName;
    const { tagger } = this;
    const read = tagger === null ? null : await this.action.run(t("working.taggers"), () => readScores(session, datasetName, tagger.id));
    this.scores = read ? unpackAll(read) : noScores;
    this.#host.requestUpdate();
  }

  #task(id: string | null): Task | undefined {
    return this.#host.state.snapshot?.tasks.find((task) => task.id === id);
  }
}

function readOptions(family: TaggerFamily): AutotagOptions {
  const kept = AutotagOptions.safeParse(parseJson(readPreference(optionsKey(family))));
  return kept.success ? kept.data : defaultOptions(family);
}

function optionsKey(family: TaggerFamily): string {
  return `train-lora:autotag:${family}`;
}

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    // Nothing was chosen yet, or another version wrote it.
    return undefined;
  }
}
