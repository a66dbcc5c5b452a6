import { css } from "lit";

export const toastsStyles = css`
  :host {
    position: fixed;
    z-index: 1000;
    max-width: 100vw;
    padding: 16px;
    pointer-events: none;
    color: var(--tl-text);
    font-family: var(--tl-font);
    font-size: var(--tl-text-medium);
    line-height: 1.45;
    text-align: start;
  }
  :host([corner^="bottom"]) {
    bottom: 0;
  }
  :host([corner^="top"]) {
    top: 0;
  }
  :host([corner$="right"]) {
    right: 0;
  }
  :host([corner$="left"]) {
    left: 0;
  }
  ul {
    display: grid;
    gap: var(--tl-gap);
    width: min(380px, calc(100vw - 32px));
  }
  li {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    gap: 6px var(--tl-gap);
    padding: 10px 8px 12px 14px;
    border: 1px solid var(--tl-border);
    border-inline-start: 4px solid var(--tl-accent);
    border-radius: var(--tl-radius);
    background: var(--tl-page);
    box-shadow: 0 4px 16px rgb(0 0 0 / 22%);
    pointer-events: auto;
  }
  li.finished {
    border-inline-start-color: var(--tl-good);
  }
  li.failed {
    border-inline-start-color: var(--tl-danger);
  }
  @media (prefers-reduced-motion: no-preference) {
    li {
      animation: arrive 0.18s ease-out;
    }
    @keyframes arrive {
      from {
        opacity: 0;
        transform: translateY(8px);
      }
    }
  }
`;
