import { css } from "lit";

export const railStyles = css`
  :host {
    position: sticky;
    top: 0;
    z-index: 5;
  }
  nav {
    display: flex;
    align-items: center;
    gap: var(--tl-gap-large);
    padding: 6px clamp(12px, 2vw, 32px);
    border-bottom: 1px solid var(--tl-border);
    background: var(--tl-page);
  }
  .name {
    max-width: 18ch;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    color: inherit;
    font-weight: 600;
    text-decoration: none;
  }
  ol {
    flex: 1;
    min-width: 0;
    display: flex;
    gap: 4px;
    overflow-x: auto;
    scrollbar-width: none;
  }
  li > * {
    display: flex;
    align-items: center;
    gap: 8px;
    min-height: 44px;
    padding: 2px 12px 2px 8px;
    border-radius: var(--tl-radius);
    color: inherit;
    text-decoration: none;
    white-space: nowrap;
  }
  li > a:hover {
    background: var(--tl-tint);
  }
  li > a:focus-visible {
    outline-offset: -2px;
  }
  li > [aria-current] {
    background: var(--tl-accent-tint);
  }
  .closed {
    color: var(--tl-subdued);
  }
  .disc {
    display: grid;
    place-items: center;
    width: 24px;
    height: 24px;
    border: 1.5px solid currentColor;
    border-radius: 50%;
    font-size: var(--tl-text-small);
    font-weight: 600;
    font-variant-numeric: tabular-nums;
  }
  .disc.done {
    border-color: var(--tl-good);
    color: var(--tl-good);
  }
  .disc svg {
    width: 13px;
    height: 13px;
    stroke-width: 2.4;
  }
  .words {
    display: grid;
    line-height: 1.25;
  }
  .title {
    font-weight: 550;
  }
  .state {
    font-size: var(--tl-text-small);
  }
  @media (max-width: 900px) {
    :host {
      position: static;
    }
    nav {
      flex-wrap: wrap;
      gap: 2px var(--tl-gap);
    }
    .name {
      flex: 1 1 50%;
      max-width: none;
    }
    ol {
      order: 3;
      flex-basis: 100%;
      margin-inline: -8px;
    }
  }
`;
