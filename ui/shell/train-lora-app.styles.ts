import { css } from "lit";

export const appStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 100%;
    background: var(--tl-page);
    color: var(--tl-text);
    font-family: var(--tl-font);
    font-size: var(--tl-text-medium);
    line-height: 1.5;
    text-align: start;
  }
  main {
    flex: 1;
    padding: var(--tl-gap-large) clamp(12px, 2vw, 32px) 48px;
    outline: none;
  }
`;
