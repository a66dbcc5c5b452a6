import { css } from "lit";

export const planPageStyles = css`
  :host {
    display: block;
    max-width: 1680px;
    margin-inline: auto;
  }
  .halves {
    display: grid;
    grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
    gap: var(--tl-gap-huge) clamp(24px, 4vw, 64px);
    align-items: start;
  }
  .figures {
    position: sticky;
    top: 76px;
    max-height: calc(100vh - 136px);
    overflow: auto;
    padding: var(--tl-gap-large);
    border: 1px solid var(--tl-border);
    border-radius: var(--tl-radius);
    background: var(--tl-surface);
  }
  .go {
    position: sticky;
    bottom: calc(-1 * var(--tl-gap-large));
    margin: 0 calc(-1 * var(--tl-gap-large)) calc(-1 * var(--tl-gap-large));
    padding: 12px var(--tl-gap-large);
    border-top: 1px solid var(--tl-border);
    background: var(--tl-surface);
  }
  .pending {
    opacity: 0.6;
  }
  .field {
    display: grid;
    gap: 4px;
  }
  fieldset {
    display: flex;
    flex-wrap: wrap;
    gap: 0 var(--tl-gap-huge);
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend {
    padding: 0;
  }
  .choice {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    min-height: var(--tl-control);
  }
  .fields {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(220px, 100%), 1fr));
    gap: var(--tl-gap-large);
  }
  .big {
    min-height: 44px;
    padding-inline: 22px;
    font-size: 15px;
  }
  @media (max-width: 860px) {
    .halves {
      grid-template-columns: minmax(0, 1fr);
    }
    .figures {
      position: static;
      max-height: none;
    }
  }
`;
