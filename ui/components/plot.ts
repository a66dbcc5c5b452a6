import type uPlot from "uplot";

/** Colours and font of a chart, as the element that holds it has them now. */
export function plotColours(element: HTMLElement): Record<"text" | "grid" | "accent" | "warning" | "drift" | "font", string> {
  const style = getComputedStyle(element);
  // Canvas knows no light-dark() and no var(), so each colour is asked for through a property that resolves it.
  const resolve = (name: string) => {
    element.style.setProperty("outline-color", `var(${name})`);
    const colour = style.outlineColor;
    element.style.removeProperty("outline-color");
    return colour;
  };
  return {
    text: resolve("--tl-subdued"),
    grid: resolve("--tl-border"),
    accent: resolve("--tl-accent"),
    warning: resolve("--tl-warning"),
    drift: resolve("--tl-drift"),
    font: `12px ${style.fontFamily}`,
  };
}

/** The same colour, mostly transparent. */
export function faint(colour: string, share: number): string {
  return colour.replace(
    /^rgba?\(([^)]+)\)$/,
    (_, parts: string) =>
      `rgba(${parts
        .split(/[,\s/]+/)
        .filter(Boolean)
        .slice(0, 3)
        .join(", ")}, ${share})`,
  );
}

/** One axis in the page's colours. */
export function plotAxis(colours: ReturnType<typeof plotColours>, more: uPlot.Axis): uPlot.Axis {
  return {
    stroke: colours.text,
    font: colours.font,
    labelFont: colours.font,
    labelSize: 18,
    grid: { stroke: faint(colours.grid, 0.7), width: 1 },
    ticks: { stroke: colours.grid, width: 1, size: 4 },
    ...more,
  };
}
