import { css } from "lit";

export const gridPageStyles = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--tl-gap-large);
  }
  .tools {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--tl-gap);
  }
  .tabs {
    display: flex;
    flex: 1 1 100%;
    min-width: 0;
    overflow-x: auto;
    border-bottom: 1px solid var(--tl-border);
  }
  .tabs button {
    display: block;
    max-width: 46ch;
    overflow: hidden;
    text-overflow: ellipsis;
    flex: none;
    border: 0;
    border-bottom: 2px solid transparent;
    border-radius: 0;
    background: none;
    color: var(--tl-subdued);
    font-weight: 400;
  }
  .tabs button[aria-selected="true"] {
    border-bottom-color: var(--tl-accent);
    color: var(--tl-text);
    font-weight: 600;
  }
  .tabs button:focus-visible {
    outline-offset: -3px;
  }
  .webui {
    display: flex;
    flex-wrap: wrap;
    align-items: start;
    gap: var(--tl-gap) var(--tl-gap-large);
  }
  .webui tl-webui-tools {
    flex: 1 1 min(420px, 100%);
  }
  .webui p {
    flex-basis: 100%;
  }
  .sources {
    display: flex;
  }
  .sources button {
    border-radius: 0;
  }
  .sources button:first-child {
    border-start-start-radius: var(--tl-radius);
    border-end-start-radius: var(--tl-radius);
  }
  .sources button:last-child {
    margin-inline-start: -1px;
    border-start-end-radius: var(--tl-radius);
    border-end-end-radius: var(--tl-radius);
  }
  .seeds {
    display: flex;
    align-items: center;
    gap: var(--tl-gap);
  }
  .keys {
    flex-basis: 100%;
  }
  kbd {
    font: 11px var(--tl-mono);
    color: var(--tl-subdued);
  }
  [aria-pressed="true"] {
    border-color: var(--tl-accent);
    background: var(--tl-accent-tint);
  }
  .body.open {
    display: grid;
    grid-template-columns: minmax(0, 1fr) clamp(300px, 28vw, 640px);
    gap: var(--tl-gap-huge);
    align-items: start;
  }
  tl-cell-details {
    position: sticky;
    top: 68px;
    max-height: calc(100vh - 80px);
    overflow: auto;
  }
  @media (max-width: 900px) {
    .body.open {
      grid-template-columns: minmax(0, 1fr);
    }
    tl-cell-details {
      position: static;
      max-height: none;
      order: -1;
    }
    .keys {
      display: none;
    }
  }
  @media (pointer: coarse) {
    .keys {
      display: none;
    }
  }
`;
