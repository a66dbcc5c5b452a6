import type { LitElement, ReactiveController } from "lit";

const BLINK_MS = 600;

/** Shows the no-LoRA picture in turn; where motion is not wanted it stays until the key is pressed again. */
export class BlinkController implements ReactiveController {
  on = false;
  showBase = false;
  readonly #host: LitElement;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(host: LitElement) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.#set(false);
  }

  toggle(): void {
    this.#set(!this.on);
  }

  #set(on: boolean): void {
    this.on = on;
    this.showBase = on;
    clearInterval(this.#timer);
    if (on && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.#timer = setInterval(() => {
        // In a tab that is put away nothing goes on.
        if (!this.#host.checkVisibility()) return this.#set(false);
        this.showBase = !this.showBase;
        this.#host.requestUpdate();
      }, BLINK_MS);
    }
    this.#host.requestUpdate();
  }
}
