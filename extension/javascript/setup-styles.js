/** Colours and sizes are the WebUI's own variables; the fallbacks are for themes that lack one. */
export const setupStyles = `
:host {
  --tl-text: var(--body-text-color, #1f2937);
  /* The WebUI's own subdued text is too faint to read, so it is half the text's colour. */
  --tl-quiet: color-mix(in srgb, var(--body-text-color-subdued, #5b6472) 50%, var(--tl-text));
  --tl-page: var(--background-fill-primary, #ffffff);
  --tl-area: var(--background-fill-secondary, #f6f7f9);
  --tl-line: var(--border-color-primary, #d5d9e0);
  --tl-accent: var(--color-accent, #c2410c);
  --tl-bad: var(--error-border-color, #b91c1c);
  --tl-radius: var(--radius-lg, 8px);
  display: block;
  color: var(--tl-text);
  background: var(--tl-page);
  font-family: var(--font, system-ui, sans-serif);
  font-size: var(--text-md, 14px);
  line-height: 1.5;
}
@media (prefers-color-scheme: dark) {
  :host {
    --tl-text: var(--body-text-color, #f3f4f6);
    --tl-quiet: color-mix(in srgb, var(--body-text-color-subdued, #a6adba) 50%, var(--tl-text));
    --tl-page: var(--background-fill-primary, #0f1420);
    --tl-area: var(--background-fill-secondary, #1b2230);
    --tl-line: var(--border-color-primary, #3a4354);
    --tl-accent: var(--color-accent, #f08a4b);
    --tl-bad: var(--error-border-color, #f28b82);
  }
}
[hidden] { display: none !important; }
.panel { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 2rem; display: grid; gap: 1rem; }
h2 { margin: 0; font-size: 1.4em; font-weight: 600; line-height: 1.3; color: inherit; }
p { margin: 0; overflow-wrap: anywhere; }
.quiet { color: var(--tl-quiet); }
.small { font-size: 0.92em; }
.box { border: 1px solid var(--tl-line); border-radius: var(--tl-radius); background: var(--tl-area); padding: 0.85rem 1rem; display: grid; gap: 0.5rem; }
.box.bad { border-color: var(--tl-bad); border-left-width: 4px; }
.box.note { grid-template-columns: 1fr auto; align-items: center; margin: 0.5rem; }
ol { list-style: none; margin: 0; padding: 0; border: 1px solid var(--tl-line); border-radius: var(--tl-radius); overflow: hidden; }
li { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; padding: 0.7rem 1rem; background: var(--tl-area); }
li + li { border-top: 1px solid var(--tl-line); }
.name { font-weight: 600; }
.status { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.place { grid-column: 1 / -1; overflow-wrap: anywhere; }
li .bar { grid-column: 1 / -1; margin-top: 0.45rem; }
li[data-status="done"] .status { color: var(--tl-quiet); }
li[data-status="failed"] .status { font-weight: 600; }
li[data-status="failed"] { box-shadow: inset 4px 0 var(--tl-bad); }
#status:empty { margin-top: -1rem; }
.bar { height: 6px; border-radius: 3px; background: var(--tl-line); overflow: hidden; }
.bar.whole { height: 10px; border-radius: 5px; }
.bar > span { display: block; height: 100%; width: 0; border-radius: inherit; background: var(--tl-accent); transition: width 0.4s; }
.buttons { display: flex; flex-wrap: wrap; gap: 0.6rem; align-items: center; }
button {
  font: inherit; font-weight: 600; padding: 0.5rem 1.1rem; cursor: pointer;
  color: var(--button-secondary-text-color, var(--tl-text));
  background: var(--button-secondary-background-fill, var(--tl-page));
  border: 1px solid var(--button-secondary-border-color, var(--tl-line));
  border-radius: var(--button-large-radius, var(--tl-radius));
}
button.primary {
  color: var(--button-primary-text-color, #ffffff);
  background: var(--button-primary-background-fill, #b93a07);
  border-color: var(--button-primary-border-color, transparent);
}
button:hover:not(:disabled) { background: var(--button-secondary-background-fill-hover, var(--tl-area)); }
button.primary:hover:not(:disabled) { background: var(--button-primary-background-fill-hover, #9a3006); }
button:disabled { opacity: 0.55; cursor: default; }
:is(button, summary, input, pre, h2, [tabindex]):focus-visible { outline: 2px solid var(--tl-accent); outline-offset: 2px; }
label { display: flex; gap: 0.6rem; align-items: baseline; cursor: pointer; }
input[type="checkbox"] { accent-color: var(--tl-accent); flex: none; transform: translateY(0.1em); }
summary { cursor: pointer; color: var(--tl-text); }
pre {
  margin: 0.5rem 0 0; padding: 0.7rem 0.9rem; max-height: 18rem; overflow: auto;
  color: var(--tl-text); background: var(--tl-page); border: 1px solid var(--tl-line); border-radius: var(--tl-radius);
  font: 12px/1.5 var(--font-mono, ui-monospace, monospace); white-space: pre-wrap; overflow-wrap: anywhere;
}
@media (max-width: 30rem) { li { grid-template-columns: 1fr; } .status { text-align: left; } }
@media (prefers-reduced-motion: reduce) { .bar > span { transition: none; } }
`;
