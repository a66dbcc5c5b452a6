import { language, t } from "./locale.js";

export function formatNumber(value: number, digits = 0): string {
  return new Intl.NumberFormat(language(), { maximumFractionDigits: digits }).format(value);
}

/** A learning rate or a loss: three significant digits, in powers of ten when it is small. */
export function formatSmall(value: number): string {
  if (value === 0) return "0";
  return Math.abs(value) < 0.01 ? value.toExponential(2).replace(/\.?0+e/, "e") : formatNumber(Number(value.toPrecision(3)), 4);
}

export function formatWeight(value: number): string {
  return formatNumber(value, 3);
}

export function formatPercent(value: number): string {
  return new Intl.NumberFormat(language(), { style: "percent", maximumFractionDigits: 1 }).format(value);
}

/** A change in percent with its sign. */
export function formatChange(percent: number): string {
  return new Intl.NumberFormat(language(), { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" })
    .format(percent / 100)
    .replace("-", "−");
}

export function formatBytes(bytes: number): string {
  const units = ["unit.bytes", "unit.kilobytes", "unit.megabytes", "unit.gigabytes"] as const;
  const power = bytes < 1 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return t(units[power] ?? "unit.bytes", { value: formatNumber(value, value < 10 && power > 0 ? 1 : 0) });
}

/** A span of time in at most two units. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("unit.seconds", { value: whole });
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return t("unit.minutes", { value: minutes });
  return t("unit.hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

export function formatTime(at: number): string {
  return new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "short" }).format(at);
}
