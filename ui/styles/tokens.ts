import { css } from "lit";

/** Every colour, size and font of the app: the WebUI's own where it has one, ours where it has not. */
export const tokens = css`
  :host {
    color-scheme: light dark;
    --tl-text: var(--body-text-color, light-dark(#1d2127, #e6e8eb));
    /* The WebUI's own subdued colour and link colour are too faint for small text. */
    --tl-subdued: color-mix(in srgb, var(--body-text-color-subdued, light-dark(#59616d, #a2aab5)) 50%, var(--tl-text));
    --tl-page: var(--background-fill-primary, light-dark(#ffffff, #15171b));
    --tl-surface: var(--background-fill-secondary, light-dark(#f5f6f8, #1c1f24));
    --tl-border: var(--border-color-primary, light-dark(#d9dde3, #343a43));
    --tl-input-fill: var(--input-background-fill, light-dark(#ffffff, #101216));
    --tl-input-border: var(--input-border-color, light-dark(#8c95a1, #66707d));
    --tl-primary-fill: var(--button-primary-background-fill, light-dark(#2a5bb8, #3a6bc9));
    --tl-primary-hover: var(--button-primary-background-fill-hover, light-dark(#214c9e, #4a79d3));
    --tl-primary-text: var(--button-primary-text-color, #ffffff);
    --tl-button-fill: var(--button-secondary-background-fill, light-dark(#ffffff, #262a31));
    --tl-button-hover: var(--button-secondary-background-fill-hover, light-dark(#eceff3, #303640));
    --tl-button-border: var(--button-secondary-border-color, light-dark(#b9c1cb, #4a525d));
    --tl-button-text: var(--button-secondary-text-color, var(--tl-text));
    --tl-accent: light-dark(#2a5bb8, #8db4ff);
    --tl-link: color-mix(in srgb, var(--link-text-color, var(--tl-accent)) 80%, var(--tl-text));
    --tl-good: light-dark(#1b6e41, #6fce98);
    --tl-warning: light-dark(#8a5300, #f0b35a);
    --tl-danger: light-dark(#b3261e, #ff9a90);
    --tl-heat: light-dark(#1c9a58, #37c67c);
    --tl-drift: light-dark(#7a3fb0, #c89bf2);
    --tl-radius: var(--radius-lg, 8px);
    --tl-radius-small: var(--radius-sm, 4px);
    --tl-gap-small: var(--spacing-sm, 4px);
    --tl-gap: 8px;
    --tl-gap-large: 16px;
    --tl-gap-huge: 24px;
    --tl-text-small: 12.5px;
    --tl-text-medium: 14px;
    --tl-text-large: 17px;
    --tl-text-huge: 22px;
    --tl-font: var(--font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
    --tl-mono: var(--font-mono, ui-monospace, "Cascadia Mono", Menlo, Consolas, "Noto Sans Mono", monospace);
    --tl-tint: color-mix(in srgb, var(--tl-text) 6%, transparent);
    --tl-accent-tint: color-mix(in srgb, var(--tl-accent) 12%, transparent);
    --tl-control: 34px;
  }
  :host([scheme="light"]) {
    color-scheme: light;
  }
  :host([scheme="dark"]) {
    color-scheme: dark;
  }
  @media (pointer: coarse) {
    :host {
      --tl-control: 44px;
    }
  }
`;
