import { css } from "lit";

/** Looks of native controls, the same in every element. */
export const controls = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
  button,
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 6px;
    min-height: var(--tl-control);
    padding: 4px 14px;
    border: 1px solid var(--tl-button-border);
    border-radius: var(--tl-radius);
    background: var(--tl-button-fill);
    color: var(--tl-button-text);
    font: inherit;
    font-weight: 500;
    line-height: 1.2;
    text-decoration: none;
    cursor: pointer;
    white-space: nowrap;
  }
  button:hover:not(:disabled),
  .button:hover {
    background: var(--tl-button-hover);
  }
  button:disabled {
    opacity: 0.55;
    cursor: default;
  }
  .primary {
    border-color: transparent;
    background: var(--tl-primary-fill);
    color: var(--tl-primary-text);
  }
  .primary:hover:not(:disabled) {
    background: var(--tl-primary-hover);
  }
  .quiet {
    border-color: transparent;
    background: transparent;
    color: var(--tl-link);
    padding-inline: 8px;
  }
  .icon {
    padding: 0;
    width: var(--tl-control);
    color: inherit;
  }
  .small {
    --tl-control: 28px;
    padding: 2px 9px;
    font-size: var(--tl-text-small);
  }
  @media (pointer: coarse) {
    .small {
      --tl-control: 44px;
    }
  }
  input:not([type="checkbox"], [type="radio"], [type="range"]),
  select,
  textarea {
    min-height: var(--tl-control);
    width: 100%;
    padding: 5px 10px;
    border: 1px solid var(--tl-input-border);
    border-radius: var(--tl-radius);
    background: var(--tl-input-fill);
    color: var(--tl-text);
    font: inherit;
  }
  ::placeholder {
    color: var(--tl-subdued);
    opacity: 1;
  }
  textarea {
    resize: vertical;
    line-height: 1.45;
  }
  input[type="range"],
  input[type="checkbox"],
  input[type="radio"] {
    accent-color: var(--tl-accent);
  }
  :focus-visible {
    outline: 2px solid var(--tl-accent);
    outline-offset: 2px;
  }
  progress {
    appearance: none;
    width: 100%;
    height: 8px;
    border: 0;
    border-radius: 4px;
    overflow: hidden;
    background: var(--tl-border);
  }
  progress::-webkit-progress-bar {
    background: var(--tl-border);
  }
  progress::-webkit-progress-value {
    background: var(--tl-accent);
    transition: width 0.2s;
  }
  progress::-moz-progress-bar {
    background: var(--tl-accent);
  }
  svg {
    width: 16px;
    height: 16px;
    flex: none;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.8;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      transition: none !important;
      animation: none !important;
    }
  }
`;
