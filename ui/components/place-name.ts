import type { GridModel, Place } from "../data/grid-model.js";
import { formatWeight } from "../locales/format.js";
import { t } from "../locales/locale.js";

/** A place of the grid in words. */
export function placeName(place: Place): string {
  return place.epoch === 0 ? t("grid.noLora") : t("grid.cell", { epoch: place.epoch, weight: formatWeight(place.weight) });
}

/** The same for those who can't see the stack of seeds behind a cell. */
export function cellName(model: GridModel, place: Place): string {
  return model.seeds.length > 1 ? `${placeName(place)}, ${t("grid.seeds", { n: model.seeds.length })}` : placeName(place);
}
