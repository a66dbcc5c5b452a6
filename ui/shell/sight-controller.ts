import type { ReactiveController, ReactiveControllerHost } from "lit";

type Host = ReactiveControllerHost & Element;

type Acts = {
  /** The element has come into sight. */
  show: () => void;
  /** It is in sight and something has changed. */
  draw: () => void;
  /** Its tab was put away; an element that is only scrolled away is not meant. */
  hide: () => void;
};

/** Lets an element draw only while it is in sight, at most once in a frame. */
export class SightController implements ReactiveController {
  isShown = true;
  readonly #host: Host;
  readonly #acts: Acts;
  #observer: IntersectionObserver | null = null;
  #frame = 0;

  constructor(host: Host, acts: Acts) {
    this.#host = host;
    this.#acts = acts;
    host.addController(this);
  }

  hostConnected(): void {
    this.#observer = new IntersectionObserver((entries) => this.#see(entries.at(-1)?.isIntersecting ?? true));
    this.#observer.observe(this.#host);
  }

  hostDisconnected(): void {
    this.#observer?.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  /** Something has changed: draws with the next frame, or when the element comes into sight again. */
  draw(): void {
    if (!this.isShown || this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#acts.draw();
    });
  }

  #see(isShown: boolean): void {
    if (isShown === this.isShown) return;
    this.isShown = isShown;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    // The last render of a hidden element stops what its children have running.
    this.#host.requestUpdate();
    if (isShown) this.#acts.show();
    else if (!this.#host.checkVisibility()) this.#acts.hide();
  }
}
