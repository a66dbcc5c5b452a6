import { css } from "lit";

export const epochRowStyles = css`
  :host {
    display: block;
    border-top: 1px solid var(--tl-border);
  }
  :host([selected]) {
    background: var(--tl-accent-tint);
  }
  .line {
    display: grid;
    grid-template-columns: 132px minmax(0, auto) minmax(14ch, 1fr) auto;
    align-items: center;
    gap: var(--tl-gap-large);
    padding: 8px;
  }
  label {
    display: flex;
    align-items: center;
    gap: 10px;
    min-height: 44px;
    cursor: pointer;
  }
  input {
    width: 18px;
    height: 18px;
    margin: 0;
    flex: none;
  }
  .best {
    display: block;
    color: var(--tl-good);
    font-size: var(--tl-text-small);
    font-weight: 600;
  }
  .cells {
    display: flex;
    gap: 4px;
  }
  figure {
    flex: 0 1 var(--epoch-cell, 72px);
    min-width: 0;
    margin: 0;
  }
  img,
  .empty {
    display: block;
    width: var(--epoch-cell, 72px);
    max-width: 100%;
    aspect-ratio: 1;
    border-radius: var(--tl-radius-small);
    object-fit: cover;
    background: var(--tl-surface);
  }
  .empty {
    border: 1px dashed var(--tl-border);
  }
  :host([selected]) {
    --epoch-cell: clamp(72px, 8vw, 160px);
  }
  figcaption {
    text-align: center;
    color: var(--tl-subdued);
    font-size: 11.5px;
  }
  .facts {
    display: grid;
    gap: 2px;
    min-width: 0;
  }
  @media (max-width: 860px) {
    .line {
      grid-template-columns: minmax(0, 1fr) auto;
    }
    .cells,
    .facts {
      grid-column: 1 / -1;
    }
    .line > :last-child {
      grid-column: 2;
      grid-row: 1;
    }
  }
`;
