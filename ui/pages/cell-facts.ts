import type { Cell, Grid } from "../../protocol/grid.js";
import type { Job } from "../../protocol/job.js";
import type { Plan } from "../../protocol/plan.js";
import { placeName } from "../components/place-name.js";
import type { CellFacts } from "../components/tl-cell-details.js";
import { cellAt, flagsAt, type GridModel, type Place, placeKey, samePlace } from "../data/grid-model.js";
import type { GridSource } from "../data/route.js";
import { t } from "../locales/locale.js";

export type CellContext = {
  job: Job;
  model: GridModel;
  /** The run's plan and grid.json, as far as they are there. */
  files: { plan: Plan | null; grid: Grid | null };
  source: GridSource;
  prompt: number;
  seed: number;
  pinned: Place;
  stars: ReadonlySet<string>;
  urlOf: (cell: Cell) => string;
};

/** Everything the details of one cell show. */
export function cellFacts(context: CellContext, place: Place): CellFacts {
  const { model, prompt, seed, pinned, stars, urlOf } = context;
  const cell = cellAt(model, place, prompt, seed);
  const other = cellAt(model, pinned, prompt, seed);
  return {
    name: placeName(place),
    url: cell ? urlOf(cell) : null,
    pinned: other && !samePlace(pinned, place) ? { name: placeName(pinned), url: urlOf(other) } : null,
    isStarred: stars.has(placeKey(place)),
    isPinned: samePlace(pinned, place),
    ...(context.source === "webui" ? webuiWords(context, place) : previewWords(context, place)),
  };
}

function previewWords(context: CellContext, place: Place): Pick<CellFacts, "rows" | "infotext" | "isInfotextTrue"> {
  return { rows: rowsOf(context, place), infotext: infotextOf(context, place), isInfotextTrue: false };
}

// The WebUI has written down everything that it drew with; beside it stands only what it does not know.
function webuiWords({ model, prompt, seed, job }: CellContext, place: Place): Pick<CellFacts, "rows" | "infotext" | "isInfotextTrue"> {
  const file = model.files.get(place.epoch);
  const drawn = cellAt(model, place, prompt, seed);
  const infotext = job.webui?.cells.find((cell) => cell.file === drawn?.file)?.infotext ?? "";
  return { rows: file ? [{ label: t("fact.file"), value: file }] : [], infotext, isInfotextTrue: infotext !== "" };
}

function rowsOf(context: CellContext, place: Place): CellFacts["rows"] {
  const { model, prompt, seed, job, files } = context;
  const settings = files.grid?.settings ?? files.plan?.settings.grid;
  const flags = flagsAt(model, place, prompt, seed).map((flag) => t(`flag.${flag}`));
  const rows = [
    { label: t("fact.file"), value: model.files.get(place.epoch) ?? "" },
    { label: t("fact.prompt"), value: model.prompts[prompt] ?? "" },
    { label: t("fact.negative"), value: settings?.negativePrompt ?? "" },
    { label: t("fact.seed"), value: String(seed) },
    {
      label: t("fact.sampler"),
      value: settings ? t("fact.samplerWords", { sampler: settings.sampler, n: settings.steps, cfg: settings.cfgScale }) : "",
    },
    { label: t("fact.size"), value: `${model.width} × ${model.height}` },
    { label: t("fact.baseModel"), value: job.baseModel },
    { label: t("fact.flags"), value: flags.join(", "), warn: true },
  ];
  return rows.filter(({ value }) => value !== "");
}

// The WebUI's own spelling, so that the text can be pasted into its prompt box.
function infotextOf({ model, prompt, seed, job, files }: CellContext, place: Place): string {
  const settings = files.grid?.settings ?? files.plan?.settings.grid;
  const file = model.files.get(place.epoch)?.replace(/\.safetensors$/, "");
  const lora = file ? ` <lora:${file}:${place.weight}>` : "";
  const negative = settings?.negativePrompt ? `\nNegative prompt: ${settings.negativePrompt}` : "";
  const facts = settings
    ? `\nSteps: ${settings.steps}, Sampler: ${settings.sampler === "ddim" ? "DDIM" : "Euler"}, CFG scale: ${settings.cfgScale}, Seed: ${seed}, Size: ${model.width}x${model.height}, Model: ${job.baseModel}`
    : "";
  return `${model.prompts[prompt] ?? ""}${lora}${negative}${facts}`;
}
