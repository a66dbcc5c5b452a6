import { css } from "lit";

export const tagsPageStyles = css`
  :host,
  .contents {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--tl-gap-large);
  }
  .halves {
    display: grid;
    grid-template-columns: minmax(200px, 320px) minmax(0, 1fr);
    align-items: start;
    gap: var(--tl-gap-huge);
  }
  tl-tag-table {
    position: sticky;
    top: 72px;
  }
  li {
    display: flex;
    gap: var(--tl-gap-large);
    padding: 8px 0;
    border-top: 1px solid var(--tl-border);
  }
  li img {
    width: 72px;
    height: 72px;
    object-fit: contain;
    border-radius: var(--tl-radius-small);
    background: var(--tl-surface);
  }
  li.open img {
    width: clamp(96px, 22vw, 240px);
    height: clamp(96px, 22vw, 240px);
  }
  .caption {
    flex: 1;
    display: flex;
    flex-wrap: wrap;
    justify-content: start;
    align-content: center;
    gap: 4px 6px;
    padding: 4px 8px;
    border-color: transparent;
    background: none;
    color: inherit;
    font-weight: 400;
    text-align: start;
    white-space: normal;
  }
  .tag {
    padding: 0 7px;
    border: 1px solid var(--tl-border);
    border-radius: var(--tl-radius-small);
    font-size: var(--tl-text-small);
    overflow-wrap: anywhere;
  }
  .trigger {
    border-color: var(--tl-accent);
  }
  .chosen {
    border-color: var(--tl-accent);
    background: var(--tl-accent-tint);
  }
  .undo {
    margin-inline-start: auto;
  }
  @media (max-width: 760px) {
    .halves {
      grid-template-columns: minmax(0, 1fr);
    }
    tl-tag-table {
      position: static;
      --tag-table-height: 32vh;
    }
    li.open {
      flex-direction: column;
    }
  }
`;
