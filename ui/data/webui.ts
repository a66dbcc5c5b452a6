/** What the WebUI's page does for ours; javascript/train_lora.mjs puts it on `window`. A page that stands alone has none. */
export type TrainLoraHost = {
  /** Proves that this page belongs to the running WebUI; goes into a header or a sub-protocol, never into an address. */
  token: string;
  /** Fills txt2img with an infotext. Rejects when the WebUI's controls do not take it. */
  pasteIntoTxt2img(text: string): Promise<void>;
  /** Makes cards and dropdowns know LoRAs of these names, which are without extension. */
  refreshCards(names: string[]): void;
  /** Brings the Train LoRA tab to the front. */
  openTab(): void;
  /** Presses Generate in txt2img. */
  generate(): void;
  onTabShown(callback: () => void): void;
  /** Fetches the token of a WebUI that was restarted; false when it wants a login first. */
  renewToken?(): Promise<boolean>;
};

declare global {
  interface Window {
    trainLoraHost?: TrainLoraHost;
  }
}

/** The WebUI's page around ours, or null when ours stands alone. */
export function webuiPage(): TrainLoraHost | null {
  return typeof window === "undefined" ? null : (window.trainLoraHost ?? null);
}
