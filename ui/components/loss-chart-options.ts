import type uPlot from "uplot";
import type { Job } from "../../protocol/job.js";
import { type EpochPoint, smoothLosses } from "../data/losses.js";
import { formatChange, formatNumber, formatSmall } from "../locales/format.js";
import { t } from "../locales/locale.js";
import { faint, plotAxis } from "./plot.js";
import type { ChartOptions } from "./tl-chart.js";

/** Step, loss, smoothed loss. */
export function lossData(losses: Job["losses"]): uPlot.AlignedData {
  return [losses.map(([step]) => step), losses.map(([, loss]) => loss), smoothLosses(losses)];
}

/** Epoch, change on training and on held-out pictures in percent, drift. */
export function epochData(points: readonly EpochPoint[]): uPlot.AlignedData {
  return [
    points.map((point) => point.epoch),
    points.map((point) => point.train),
    points.map((point) => point.heldOut),
    points.map((point) => point.drift),
  ];
}

const show = (format: (value: number) => string) => (_plot: uPlot, value: number | null) => (value === null ? "–" : format(value));
/** Steps and epochs are whole, so no tick lies between two of them. */
const WHOLE = [1, 2, 5].flatMap((first) => Array.from({ length: 7 }, (_, zeros) => first * 10 ** zeros)).sort((a, b) => a - b);
const plain = (_plot: uPlot, values: number[]) => values.map((value) => formatNumber(value));

/** The chart of `lossData`. */
export function lossOptions(): ChartOptions {
  return (colours) => ({
    scales: { x: { time: false } },
    cursor: { y: false },
    axes: [
      plotAxis(colours, { label: t("chart.step"), values: plain, incrs: WHOLE, size: 34 }),
      plotAxis(colours, { values: (_plot, values) => values.map((value) => formatSmall(value)), size: 58 }),
    ],
    series: [
      { label: t("chart.step"), value: show((value) => formatNumber(value)) },
      { label: t("chart.raw"), stroke: faint(colours.accent, 0.3), width: 1, value: show(formatSmall), points: { show: false } },
      { label: t("chart.smoothed"), stroke: colours.accent, width: 2, value: show(formatSmall), points: { show: false } },
    ],
  });
}

/** The chart of `epochData`; the epoch of the verdict is shaded. */
export function epochOptions(best: number | null): ChartOptions {
  return (colours) => ({
    scales: { x: { time: false, range: (_plot, low, high) => [low - 0.3, high + 0.3] } },
    cursor: { y: false },
    hooks: { drawClear: best === null ? [] : [(plot: uPlot) => shadeEpoch(plot, best, faint(colours.accent, 0.16))] },
    axes: [
      plotAxis(colours, { label: t("chart.epoch"), values: plain, incrs: WHOLE, size: 34 }),
      plotAxis(colours, { values: (_plot, values) => values.map((value) => formatChange(value)), size: 62 }),
      plotAxis(colours, {
        scale: "drift",
        side: 1,
        values: (_plot, values) => values.map((value) => formatSmall(value)),
        size: 62,
        grid: { show: false },
      }),
    ],
    series: [
      { label: t("chart.epoch"), value: show((value) => formatNumber(value)) },
      {
        label: t("chart.train"),
        stroke: faint(colours.accent, 0.7),
        dash: [4, 4],
        width: 1.5,
        value: show(formatChange),
        points: { show: true, size: 5, fill: colours.accent },
      },
      {
        label: t("chart.heldOut"),
        stroke: colours.accent,
        width: 2,
        value: show(formatChange),
        points: { show: true, size: 8, fill: colours.accent },
      },
      {
        label: t("chart.drift"),
        scale: "drift",
        stroke: colours.drift,
        width: 1.5,
        value: show(formatSmall),
        points: { show: true, size: 7, fill: colours.drift },
      },
    ],
  });
}

function shadeEpoch(plot: uPlot, epoch: number, colour: string): void {
  const from = plot.valToPos(epoch - 0.3, "x", true);
  const to = plot.valToPos(epoch + 0.3, "x", true);
  plot.ctx.fillStyle = colour;
  plot.ctx.fillRect(from, plot.bbox.top, to - from, plot.bbox.height);
}
