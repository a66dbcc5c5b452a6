import { failureSentence, setupStrings, versionText } from "./setup-strings.js";
import { setupView } from "./setup-view.js";

const RUNNING_MS = 1000;
const IDLE_MS = 5000;
const LOG_LINES_IN_DETAILS = 60;

/**
 * The first opening of the tab: what will be installed, one button, how far it is. `base` is the address of the shim's routes.
 * Fires `setup-done` once everything is there. Asks only while it can be seen.
 */
class TrainLoraSetup extends HTMLElement {
  #view;
  #strings = setupStrings();
  #timer;
  #next = 0;
  #log = [];
  #state = null;
  #isDone = false;
  #wasRunning = false;
  #asks = 0;

  connectedCallback() {
    const on = {
      start: (privateNode) => this.#start(privateNode),
      stop: () => this.#stop(),
      copy: () => this.#copy(),
      without: () => this.#openWithoutTrainer(),
      open: () => this.#finish(),
    };
    this.#view ??= setupView(this.shadowRoot ?? this.attachShadow({ mode: "open" }), this.#strings, on);
    document.addEventListener("visibilitychange", this.#lookNow);
    this.#observer.observe(this);
    void this.#look();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#lookNow);
    this.#observer.disconnect();
  }

  #lookNow = () => void this.#look();
  #observer = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) this.#lookNow();
  });

  async #look() {
    clearTimeout(this.#timer);
    if (!this.isConnected || document.hidden || !this.checkVisibility()) return;
    const ask = ++this.#asks;
    const answer = await this.#ask(`/setup?since=${this.#next}`);
    // A later question is on its way: only the last answer counts, or lines would come twice.
    if (ask !== this.#asks || !this.isConnected) return;
    if (answer.ok) this.#take(answer.body);
    else this.#view.tell(answer.status === 401 ? this.#strings.login : this.#refusal(answer) || this.#strings.lost);
    if (!this.#isDone) this.#timer = setTimeout(this.#lookNow, this.#state?.status === "running" ? RUNNING_MS : IDLE_MS);
  }

  #take(state) {
    // A WebUI that has been restarted counts its lines anew.
    const isNewProcess = state.next < this.#next;
    this.#next = isNewProcess ? 0 : state.next;
    this.#log = [...this.#log, ...(isNewProcess ? [] : state.lines)].slice(-LOG_LINES_IN_DETAILS);
    this.#view.addLines(isNewProcess ? [] : state.lines);
    this.#state = state;
    this.#view.draw(state);
    this.#view.keepFocus();
    this.#wasRunning ||= state.status === "running";
    // What has just been installed and can't use the GPU is told before anything else is shown.
    if (state.status === "ready" && !(this.#wasRunning && state.torchWarning)) this.#finish();
  }

  #finish() {
    if (this.#isDone) return;
    this.#isDone = true;
    clearTimeout(this.#timer);
    this.dispatchEvent(new CustomEvent("setup-done", { bubbles: true, composed: true }));
  }

  async #start(privateNode) {
    const betterTorch = this.#state?.status === "ready";
    const answer = await this.#ask("/setup/start", { privateNode, betterTorch });
    if (answer.ok) await this.#look();
    else this.#view.tell(this.#refusal(answer) || this.#strings.lost);
  }

  async #openWithoutTrainer() {
    const answer = await this.#ask("/setup/open", { withoutTrainer: true });
    if (answer.ok && answer.body?.opened) this.#finish();
    else if (answer.ok) await this.#look();
    else this.#view.tell(this.#refusal(answer) || this.#strings.lost);
  }

  async #stop() {
    this.#view.stopping();
    await this.#ask("/setup/cancel", {});
    await this.#look();
  }

  async #copy() {
    const { failure, version, node } = this.#state;
    const lines = [
      `Train LoRA ${versionText(version)}, step ${failure.step}, ${failure.code}: ${failure.message}`,
      node ? `Node ${node.version}` : "no Node",
      navigator.userAgent,
      "",
      failure.details,
      "",
      ...this.#log,
    ];
    await copyText(lines.join("\n"), this.shadowRoot);
    this.#view.copied();
  }

  #refusal(answer) {
    const failure = answer.body?.code ? answer.body : answer.body?.detail;
    return failure?.message ? failureSentence(this.#strings, failure) : "";
  }

  /** GET without `content`, else POST. Never throws: `status` 0 when nobody answers. */
  async #ask(path, content) {
    const headers = { "X-Train-Lora-Token": window.trainLoraHost?.token ?? "" };
    const post = { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(content) };
    try {
      const response = await fetch(`${this.getAttribute("base") ?? "./train-lora"}${path}`, content ? post : { headers });
      return { ok: response.ok, status: response.status, body: await response.json().catch(() => null) };
    } catch {
      return { ok: false, status: 0, body: null };
    }
  }
}

// Pages that are not on HTTPS or this very machine have no clipboard for scripts.
async function copyText(text, root) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    root.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

if (!customElements.get("train-lora-setup")) customElements.define("train-lora-setup", TrainLoraSetup);
