import type { ReactiveController, ReactiveControllerHost } from "lit";
import { type Failure, toFailure } from "../../protocol/errors.js";

export type ActionState<What> = { kind: "idle" } | { kind: "running"; what: What } | { kind: "failed"; failure: Failure };

/** One action at a time that the person started: under way, or how it failed. The border where a page catches errors. */
export class ActionController<What = string> implements ReactiveController {
  state: ActionState<What> = { kind: "idle" };
  readonly #host: ReactiveControllerHost;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    // nothing to take up: an action belongs to the element that started it
  }

  get running(): boolean {
    return this.state.kind === "running";
  }

  get failure(): Failure | null {
    return this.state.kind === "failed" ? this.state.failure : null;
  }

  /** Runs `work` unless something is running already; resolves with its result, or undefined when it failed. */
  async run<T>(what: What, work: () => Promise<T>): Promise<T | undefined> {
    if (this.running) return undefined;
    this.#set({ kind: "running", what });
    try {
      const result = await work();
      this.#set({ kind: "idle" });
      return result;
    } catch (thrown) {
      this.#set({ kind: "failed", failure: toFailure(thrown) });
      return undefined;
    }
  }

  dismiss(): void {
    this.#set({ kind: "idle" });
  }

  #set(state: ActionState<What>): void {
    this.state = state;
    this.#host.requestUpdate();
  }
}
