import { html, svg, type TemplateResult } from "lit";

const paths = {
  arrow: svg`<path d="M3 8h10M9 4l4 4-4 4"/>`,
  back: svg`<path d="M10 3L5 8l5 5"/>`,
  forward: svg`<path d="M6 3l5 5-5 5"/>`,
  close: svg`<path d="M4 4l8 8M12 4l-8 8"/>`,
  check: svg`<path d="M3 8.5l3.5 3.5L13 4.5"/>`,
  warning: svg`<path d="M8 2.2L14.5 13.5h-13zM8 6.5v3M8 11.6v.1"/>`,
  info: svg`<circle cx="8" cy="8" r="6.2"/><path d="M8 7.2v4M8 4.9v.1"/>`,
  undo: svg`<path d="M5.5 3L2.5 6l3 3M3 6h6.5a3.5 3.5 0 010 7H6"/>`,
  trash: svg`<path d="M2.5 4.5h11M6 4.5V2.8h4v1.7M4 4.5l.6 8.7h6.8l.6-8.7"/>`,
  star: svg`<path d="M8 1.8l1.9 3.9 4.3.6-3.1 3 .7 4.3L8 11.6l-3.8 2 .7-4.3-3.1-3 4.3-.6z"/>`,
  pin: svg`<path d="M6 2h4l-.5 4.2L12 9H4l2.5-2.8zM8 9v5"/>`,
  file: svg`<path d="M4 1.8h5L12.5 5v9.2h-8.5zM9 1.8V5h3.5"/>`,
} as const;

/** A small picture beside words; it says nothing to a screen reader, the words do. */
export function icon(name: keyof typeof paths): TemplateResult {
  return html`<svg viewBox="0 0 16 16" aria-hidden="true">${paths[name]}</svg>`;
}
