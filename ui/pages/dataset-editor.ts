import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Dataset, FixReport } from "../../protocol/dataset.js";
import type { PictureOperation } from "../../protocol/picture-edit.js";
import { ActionController } from "../components/action-controller.js";
import { mayChange } from "../data/access.js";
import {
  editPicture,
  type FixScope,
  fixDataset,
  imageUrl,
  loadScan,
  rejectImage,
  setCaption,
  setTriggerWord,
  undoDataset,
} from "../data/datasets.js";
import type { Session } from "../data/session.js";
import type { AppState, Scan } from "../data/store.js";
import { t } from "../locales/locale.js";

type Host = ReactiveControllerHost & { session: Session; state: AppState; datasetName: string };

/** What the steps Pictures and Tags do to a data set: every change is followed by a scan, and can be undone. */
export class DatasetEditor implements ReactiveController {
  readonly action: ActionController;
  /** A fix that waits for the person's yes, with what it would change. */
  preview: { scope: FixScope; report: FixReport } | null = null;
  /** What was done last, in words. */
  message = "";
  readonly #host: Host;
  readonly #settled: () => Promise<void>;
  #loaded = "";
  #shown = "";

  /** `settled` waits for changes that are on their way to the server already. */
  constructor(host: Host, settled: () => Promise<void> = async () => {}) {
    this.#host = host;
    this.#settled = settled;
    this.action = new ActionController(host);
    host.addController(this);
  }

  hostUpdate(): void {
    const { datasetName: dataset, state } = this.#host;
    // After a lost connection another browser may have changed the data set.
    if (state.status !== "connected") this.#loaded = "";
    if (state.status !== "connected" || this.#loaded === dataset) return;
    if (this.#shown !== dataset) {
      this.preview = null;
      this.message = "";
    }
    this.#shown = dataset;
    this.#loaded = dataset;
    void this.load();
  }

  hostDisconnected(): void {
    this.#loaded = "";
  }

  get scan(): Scan | undefined {
    return this.#host.state.scans[this.#host.datasetName];
  }

  get ready(): Dataset | null {
    return this.scan?.state === "ready" ? this.scan.dataset : null;
  }

  /** True while nothing can be changed: something is being done, or this page may only look. */
  get locked(): boolean {
    return this.action.running || !mayChange(this.#host.state);
  }

  load(): Promise<void> {
    return loadScan(this.#host.session, this.#host.datasetName);
  }

  urlOf(id: string, size?: number): string {
    const image = this.ready?.images.find((one) => one.id === id);
    return image ? imageUrl(this.#host.session, this.#host.datasetName, image, size) : "";
  }

  async previewFix(scope: FixScope): Promise<void> {
    const report = await this.action.run(t("working.preview"), () => fixDataset(this.#host.session, this.#host.datasetName, scope, true));
    if (report) this.preview = { scope, report };
    this.#host.requestUpdate();
  }

  cancelFix(): void {
    this.preview = null;
    this.#host.requestUpdate();
  }

  async applyFix(): Promise<void> {
    const { preview } = this;
    if (!preview) return;
    await this.#edit(t("working.fix"), async (session, dataset) => {
      const { changes } = await fixDataset(session, dataset, preview.scope, false);
      this.preview = null;
      return t("done.fixed", { n: new Set(changes.map((change) => change.image)).size });
    });
  }

  undo(): Promise<void> {
    return this.#edit(t("working.undo"), async (session, dataset) => {
      this.preview = null;
      const { undone } = await undoDataset(session, dataset);
      return undone === null ? t("done.nothingToUndo") : t("done.undone");
    });
  }

  reject(image: string): Promise<void> {
    return this.#edit(t("working.reject"), async (session, dataset) => {
      await rejectImage(session, dataset, image);
      return t("done.rejected", { image });
    });
  }

  editPicture(image: string, operations: PictureOperation[]): Promise<void> {
    return this.#edit(t("working.edit"), async (session, dataset) => {
      await editPicture(session, dataset, image, operations);
      return t("done.edited", { image });
    });
  }

  saveCaption(image: string, caption: string): Promise<void> {
    return this.#edit(t("working.caption"), async (session, dataset) => {
      await setCaption(session, dataset, image, caption);
      return t("done.caption");
    });
  }

  /** Captions were changed elsewhere on this page; `done` says what was done. */
  async captionsChanged(done: string): Promise<void> {
    await this.load();
    this.message = done;
    this.#host.requestUpdate();
  }

  saveTriggerWord(word: string): Promise<void> {
    return this.#edit(t("working.triggerWord"), async (session, dataset) => {
      await setTriggerWord(session, dataset, word);
      return word ? t("done.triggerWord", { word }) : t("done.noTriggerWord");
    });
  }

  async #edit(what: string, work: (session: Session, dataset: string) => Promise<string>): Promise<void> {
    const { session, datasetName: dataset } = this.#host;
    if (this.locked) return;
    const words = await this.action.run(what, async () => {
      await this.#settled();
      const done = await work(session, dataset);
      await this.load();
      return done;
    });
    if (words !== undefined) this.message = words;
    this.#host.requestUpdate();
  }
}
