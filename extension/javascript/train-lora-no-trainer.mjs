import { setupStrings } from "./setup-strings.js";
import { setupStyles } from "./setup-styles.js";

/** Says above the page why there is no training. Settles when the user wants the set-up back; without a word it never does. */
export function noteWithoutTrainer(mount) {
  const note = document.createElement("train-lora-no-trainer");
  mount.prepend(note);
  return new Promise((resolve) => note.addEventListener("setup-wanted", resolve, { once: true }));
}

class TrainLoraNoTrainer extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    const strings = setupStrings();
    const root = this.attachShadow({ mode: "open" });
    root.innerHTML = `<style>${setupStyles}</style><div class="box note" role="status"><p></p><button type="button"></button></div>`;
    root.querySelector("p").textContent = strings.noTrainer;
    const button = root.querySelector("button");
    button.textContent = strings.installTrainer;
    button.addEventListener("click", () => this.dispatchEvent(new CustomEvent("setup-wanted")));
  }
}

if (!customElements.get("train-lora-no-trainer")) customElements.define("train-lora-no-trainer", TrainLoraNoTrainer);
