import { css } from "lit";

export const xyzGridStyles = css`
  :host {
    display: block;
    min-width: 0;
  }
  .grid {
    display: grid;
    grid-template-columns: 40px repeat(var(--columns), minmax(84px, 1fr));
    gap: 6px;
    /* A row is never taller than the window, so a whole epoch can be seen at once. */
    max-width: calc(40px + var(--columns) * (78vh * (var(--ratio)) + 6px));
  }
  [role="row"] {
    display: contents;
  }
  .head,
  .corner {
    position: sticky;
    top: var(--grid-top, 57px);
    z-index: 2;
    padding: 6px 0;
    background: var(--tl-page);
    text-align: center;
    font-weight: 600;
  }
  .first,
  .side,
  .corner {
    position: sticky;
    z-index: 1;
    background: var(--tl-page);
  }
  .corner,
  .side {
    left: 0;
  }
  .first {
    left: 46px;
  }
  .corner,
  .head.first {
    z-index: 3;
  }
  .head.first {
    font-weight: 500;
    color: var(--tl-subdued);
  }
  .side {
    display: grid;
    place-items: center;
    font-weight: 600;
    border-radius: var(--tl-radius-small);
  }
  .side.best {
    color: var(--tl-good);
    box-shadow: inset 0 0 0 2px var(--tl-good);
  }
  .cell {
    position: relative;
    aspect-ratio: var(--ratio);
    border-radius: var(--tl-radius-small);
    background: var(--tl-surface);
    cursor: pointer;
  }
  .cell.first {
    position: sticky;
    box-shadow: 0 0 0 3px var(--tl-page);
  }
  .stack {
    margin: 0 5px 5px 0;
    box-shadow:
      3px 3px 0 -1px var(--tl-page),
      3px 3px 0 0 var(--tl-border),
      6px 6px 0 -1px var(--tl-page),
      6px 6px 0 0 var(--tl-border);
  }
  img {
    display: block;
    width: 100%;
    height: 100%;
    object-fit: cover;
    border-radius: inherit;
  }
  .empty {
    display: grid;
    place-items: center;
    height: 100%;
    border: 1px dashed var(--tl-border);
    border-radius: inherit;
    color: var(--tl-subdued);
    font-size: var(--tl-text-small);
    text-align: center;
  }
  .cell::after {
    content: "";
    position: absolute;
    inset: -3px;
    border: 3px solid transparent;
    border-radius: calc(var(--tl-radius-small) + 3px);
    pointer-events: none;
  }
  .cell.best::after {
    border-color: var(--tl-good);
  }
  .cell.outlined::after {
    border-color: var(--tl-warning);
  }
  .cell[aria-selected="true"]::after {
    border-color: var(--tl-accent);
  }
  .cell:focus-visible {
    outline: 2px solid var(--tl-text);
    outline-offset: 3px;
    z-index: 1;
  }
  .badge {
    position: absolute;
    display: grid;
    place-items: center;
    border-radius: var(--tl-radius-small);
    background: var(--tl-page);
    color: var(--tl-text);
    font-size: 11.5px;
    font-weight: 600;
  }
  .best-badge {
    inset: auto auto 6px 6px;
    padding: 0 6px;
    color: var(--tl-good);
  }
  .star,
  .pin {
    width: 24px;
    height: 24px;
    inset: 6px 6px auto auto;
  }
  .star svg {
    fill: currentColor;
  }
  .pin {
    inset: 6px auto auto 6px;
  }
  .heat {
    position: absolute;
    inset: 0;
    display: grid;
    align-items: end;
    border-radius: inherit;
    background: color-mix(in srgb, transparent, var(--tl-heat) var(--score, 0%));
    pointer-events: none;
  }
  .heat > span {
    padding: 2px 6px;
    background: var(--tl-page);
    font-size: 11.5px;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .heat.warn {
    background: color-mix(in srgb, transparent, var(--tl-warning) 40%);
  }
  .heat.bad {
    background: color-mix(in srgb, transparent, var(--tl-danger) 45%);
  }
  @media (max-width: 900px) {
    :host {
      overflow-x: auto;
      margin-inline: -12px;
      padding-inline: 12px;
    }
    .grid {
      grid-template-columns: 26px repeat(var(--columns), minmax(84px, 1fr));
      gap: 4px;
    }
    .first {
      left: 30px;
    }
    .head,
    .corner {
      top: 0;
    }
  }
`;
