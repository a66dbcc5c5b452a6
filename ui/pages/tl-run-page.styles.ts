import { css } from "lit";

export const runPageStyles = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--tl-gap-large);
    max-width: 1680px;
    margin-inline: auto;
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: start;
    justify-content: space-between;
    gap: var(--tl-gap) var(--tl-gap-large);
  }
  .warnings li {
    display: flex;
    gap: var(--tl-gap);
    align-items: baseline;
  }
  .warnings svg {
    align-self: center;
  }
  .use {
    padding: 0 8px 12px 36px;
  }
`;
