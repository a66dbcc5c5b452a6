/**
 * Lit's `@customElement`, but it tolerates a second definition: inside the WebUI the module may be loaded again after
 * "Reload UI", and `customElements.define` would throw.
 */
export function customElement(name: string): (element: CustomElementConstructor) => void {
  return (element) => {
    if (!customElements.get(name)) customElements.define(name, element);
  };
}
