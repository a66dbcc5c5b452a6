import { css } from "lit";

export const topBarStyles = css`
  :host {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0 var(--tl-gap-huge);
    padding: 0 clamp(12px, 2vw, 32px);
    border-bottom: 1px solid var(--tl-border);
    background: var(--tl-surface);
  }
  .name {
    font-weight: 650;
    letter-spacing: -0.01em;
    color: inherit;
    text-decoration: none;
  }
  nav ul {
    display: flex;
    overflow-x: auto;
    scrollbar-width: none;
  }
  nav a {
    display: inline-flex;
    align-items: center;
    min-height: 44px;
    padding: 0 12px;
    color: var(--tl-subdued);
    text-decoration: none;
    white-space: nowrap;
    border-block: 2px solid transparent;
  }
  nav a:hover {
    color: var(--tl-text);
  }
  nav a[aria-current] {
    color: var(--tl-text);
    font-weight: 600;
    border-bottom-color: var(--tl-accent);
  }
  nav a:focus-visible {
    outline-offset: -3px;
  }
  .status {
    margin-inline-start: auto;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: end;
    gap: 0 var(--tl-gap-large);
    min-height: 44px;
    color: var(--tl-subdued);
    font-size: var(--tl-text-small);
  }
  .status a {
    color: inherit;
  }
  .live {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    white-space: nowrap;
  }
  .live::before {
    content: "";
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: currentColor;
  }
  @media (max-width: 760px) {
    .status {
      order: 1;
    }
    nav {
      order: 2;
      width: 100%;
      margin-inline: -12px;
    }
  }
`;
