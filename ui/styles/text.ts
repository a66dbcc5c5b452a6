import { css } from "lit";

/** Type and the few layout classes that many elements share. */
export const text = css`
  h1,
  h2,
  h3,
  p,
  dl,
  dd,
  ul,
  ol {
    margin: 0;
    padding: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  p {
    text-wrap: pretty;
  }
  h1 {
    font-size: var(--tl-text-huge);
    font-weight: 600;
    line-height: 1.25;
    letter-spacing: -0.01em;
  }
  h2 {
    font-size: var(--tl-text-large);
    font-weight: 600;
    line-height: 1.3;
  }
  h3 {
    font-size: var(--tl-text-medium);
    font-weight: 600;
  }
  a {
    color: var(--tl-link);
    text-underline-offset: 2px;
  }
  code,
  .mono {
    font-family: var(--tl-mono);
    font-size: 0.93em;
  }
  .subdued {
    color: var(--tl-subdued);
  }
  .fine {
    font-size: var(--tl-text-small);
  }
  .number {
    font-variant-numeric: tabular-nums;
  }
  .good {
    color: var(--tl-good);
  }
  .warning {
    color: var(--tl-warning);
  }
  .danger {
    color: var(--tl-danger);
  }
  .break {
    overflow-wrap: anywhere;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--tl-gap);
  }
  .stack {
    display: flex;
    flex-direction: column;
    gap: var(--tl-gap-large);
  }
  .grow {
    flex: 1;
    min-width: 0;
  }
  .panel {
    border: 1px solid var(--tl-border);
    border-radius: var(--tl-radius);
    background: var(--tl-surface);
    padding: var(--tl-gap-large);
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  table {
    width: 100%;
    border-collapse: collapse;
  }
  th {
    text-align: start;
    font-weight: 500;
    color: var(--tl-subdued);
    font-size: var(--tl-text-small);
  }
  th,
  td {
    padding: 7px 10px 7px 0;
    border-bottom: 1px solid var(--tl-border);
    vertical-align: top;
  }
`;
