import { css } from "lit";

export const settingStyles = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    align-content: start;
    gap: 4px;
  }
  .head {
    display: flex;
    align-items: center;
    gap: 6px;
    min-height: 28px;
  }
  .head button {
    margin-inline-start: auto;
  }
  .pair {
    display: grid;
    grid-template-columns: 1fr auto 1fr;
    align-items: center;
    gap: 6px;
  }
  .switch {
    display: flex;
    align-items: center;
    gap: 8px;
    min-height: var(--tl-control);
  }
  .switch input {
    width: 18px;
    height: 18px;
  }
  input[aria-invalid="true"] {
    border-color: var(--tl-danger);
  }
`;
