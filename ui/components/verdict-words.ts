import type { Verdict } from "../../protocol/grid.js";
import { formatWeight } from "../locales/format.js";
import { language, t } from "../locales/locale.js";

/** The verdict in one sentence: the judge's own in English, its facts in other languages. */
export function verdictWords({ sentence, epoch, weight, maxWeight }: Verdict): string {
  return language() === "en" ? sentence : t("verdict.sentence", { epoch, weight: formatWeight(weight), most: formatWeight(maxWeight) });
}
