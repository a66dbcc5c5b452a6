import { css } from "lit";

export const planFiguresStyles = css`
  :host {
    display: grid;
    gap: var(--tl-gap-large);
  }
  :host([hidden]) {
    display: none;
  }
  .sum {
    display: grid;
    gap: 6px;
  }
  .sum > div {
    display: grid;
    grid-template-columns: minmax(92px, 26%) minmax(0, 1fr);
    gap: var(--tl-gap-large);
  }
  dt {
    color: var(--tl-subdued);
  }
  h2 {
    font-size: var(--tl-text-medium);
    margin-bottom: 6px;
  }
  .buckets li {
    display: grid;
    grid-template-columns: 11ch minmax(40px, 1fr) minmax(14ch, auto);
    align-items: center;
    gap: var(--tl-gap);
    padding: 2px 0;
  }
  .bar {
    height: 12px;
    border-radius: 3px;
    background: var(--tl-accent);
    width: calc(var(--share) * 100%);
    min-width: 2px;
  }
  .warnings {
    border: 1px solid var(--tl-border);
    border-inline-start: 4px solid var(--tl-warning);
    border-radius: var(--tl-radius);
  }
  .warnings li {
    display: flex;
    align-items: start;
    gap: var(--tl-gap);
    padding: 8px 6px 8px 12px;
  }
  .warnings li + li {
    border-top: 1px solid var(--tl-border);
  }
  .warnings svg {
    margin-top: 3px;
  }
  .crops {
    display: flex;
    flex-wrap: wrap;
    gap: var(--tl-gap);
  }
  .crops li {
    display: grid;
    justify-items: center;
  }
  .crops img,
  .blank {
    height: 72px;
    object-fit: cover;
    border-radius: var(--tl-radius-small);
    background: var(--tl-border);
  }
`;
