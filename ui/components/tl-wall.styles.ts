import { css } from "lit";

/** Looks of the wall of thumbnails. */
export const wallStyles = css`
  :host {
    display: block;
    min-height: 40px;
  }
  .wall {
    position: relative;
    contain: layout style;
    overflow: clip;
    overflow-clip-margin: 4px;
    border-radius: var(--tl-radius);
  }
  .anchor {
    position: absolute;
    inset: 0 0 auto;
    pointer-events: none;
    scroll-margin-block: 64px;
  }
  .cell {
    position: absolute;
    inset: 0 auto auto 0;
    width: var(--cell);
    height: var(--cell);
    overflow: hidden;
    contain: strict;
    border: 1px solid var(--tl-border);
    border-radius: var(--tl-radius);
    background: var(--tl-surface);
    cursor: pointer;
    user-select: none;
  }
  .cell[aria-selected="true"] {
    border-color: var(--tl-accent);
    box-shadow: inset 0 0 0 2px var(--tl-accent);
    background: var(--tl-accent-tint);
  }
  .wall:focus-visible {
    outline: none;
  }
  .current {
    border-color: var(--tl-accent);
    outline: 2px solid var(--tl-accent);
    outline-offset: -1px;
  }
  .wall:focus-visible .current {
    outline-width: 3px;
  }
  img {
    display: block;
    width: 100%;
    height: 100%;
    padding: 2px;
    object-fit: contain;
  }
  .weak img {
    opacity: 0.75;
  }
  .mark,
  .grade {
    position: absolute;
    inset: auto 6px 6px auto;
    display: grid;
    place-items: center;
    min-width: 24px;
    height: 24px;
    border-radius: 12px;
    background: var(--tl-page);
    color: var(--tl-warning);
  }
  .grade {
    inset: auto auto 6px 6px;
    padding-inline: 8px;
    color: var(--tl-subdued);
    font-size: var(--tl-text-small);
  }
`;
