import type { Reason } from "../../protocol/grid.js";
import { type Break, DRIFT_LIMIT, type Measure } from "./verdict-measures.js";
import type { EpochScore, ScoredMeasure } from "./verdict-scores.js";

export type VerdictContext = {
  best: EpochScore;
  scores: readonly EpochScore[];
  /** Best first. */
  ranked: readonly EpochScore[];
  /** Whether likeness was measured on pictures that were never trained on. */
  heldOut: boolean;
  /** Whether there are pictures at all. */
  drawn: boolean;
};

/** The verdict in one breath: which epoch, up to which weight, from when on it resembles, and what breaks above. */
export function verdictSentence(context: VerdictContext): string {
  const { best } = context;
  if (!best.usable) {
    return `Every weight breaks something; epoch ${best.epoch} at weight ${best.best.weight} breaks least. ${capital(breakClause(best.best))}.`;
  }
  if (!hasGain(context)) {
    return `No epoch comes closer to the pictures than the base model does; epoch ${best.epoch} at weight ${best.best.weight} is the least bad by these measures.`;
  }
  const breaking = breakingMeasure(best);
  const above = breaking === null ? "no drawn weight breaks" : `at ${breaking.weight} ${breakClause(breaking)}`;
  return `Epoch ${best.epoch}, up to weight ${best.maxWeight}, looks strongest by these measures. It resembles most from epoch ${likeFrom(context)}; ${above}.`;
}

/** The evidence, clause by clause with figures; warnings come last. */
export function verdictReasons(context: VerdictContext): Reason[] {
  return [
    likenessReason(context),
    breakReason(context),
    driftReason(context),
    kinReason(context),
    temptationReason(context),
    overfitReason(context),
    growthReason(context),
    copyReason(context),
    alternativesReason(context),
    ...warnings(context),
  ].filter((reason) => reason !== null);
}

function hasGain({ scores }: VerdictContext): boolean {
  return scores.some(({ row }) => row.some(({ gain }) => gain > 0));
}

function likenessReason({ best, scores, heldOut }: VerdictContext): Reason {
  const pictures = heldOut ? "held-out pictures" : "training pictures";
  const { gain, weight } = best.best;
  const others = scores.flatMap(({ row }) => row.filter((measure) => measure.weight === weight && measure.epoch !== best.epoch));
  const rival = others.sort((a, b) => b.gain - a.gain)[0];
  const compared = rival === undefined ? "" : ` (${rival.gain > gain ? "lowest" : "next"}: ${change(rival.gain)} at epoch ${rival.epoch})`;
  return {
    text: `Likeness: at weight ${weight} the loss on ${pictures} is ${change(gain)} the base model's${compared}.`,
    cells: rival === undefined ? [cell(best.best)] : [cell(best.best), cell(rival)],
  };
}

function breakReason({ best, drawn }: VerdictContext): Reason | null {
  const breaking = breakingMeasure(best);
  if (breaking?.broken) {
    const { what, cells, of } = breaking.broken;
    const count =
      what === "drift"
        ? `drift ${figure(breaking.drift)}, limit ${DRIFT_LIMIT}`
        : `in ${cells} of ${of} ${what === "leak" ? "pictures without the trigger word" : "pictures"}`;
    return { text: `At weight ${breaking.weight} ${breakClause(breaking)} (${count}).`, cells: [cell(breaking)] };
  }
  const highest = best.row.at(-1);
  return drawn && highest
    ? { text: `Up to weight ${highest.weight}, the highest one drawn, nothing breaks.`, cells: [cell(highest)] }
    : null;
}

function driftReason({ best, scores }: VerdictContext): Reason {
  const { weight, drift } = best.best;
  const row = scores.map((score) => score.row.find((measure) => measure.weight === weight)).filter((measure) => measure !== undefined);
  const worst = row.filter(({ epoch }) => epoch !== best.epoch).sort((a, b) => b.drift - a.drift)[0];
  const compared = worst !== undefined && worst.drift > NOTABLY * drift ? ` (up to ${figure(worst.drift)} at epoch ${worst.epoch})` : "";
  const cells = compared === "" || worst === undefined ? [cell(best.best)] : [cell(best.best), cell(worst)];
  return {
    text: `Flexibility: prompts that have nothing to do with it move by ${figure(drift)} of the base model's own loss${compared}.`,
    cells,
  };
}

function kinReason({ best }: VerdictContext): Reason | null {
  const leaking = best.row.filter(({ kinLeaking }) => kinLeaking > 0);
  const first = leaking[0];
  if (first === undefined) return null;
  return {
    text: `From weight ${first.weight} on it answers prompts of the same kind without the trigger word, too.`,
    cells: leaking.map(cell),
  };
}

// The case that a validation loss alone gets wrong: the closest epoch is one that overrides everything.
function temptationReason({ best, scores }: VerdictContext): Reason | null {
  const closest = scores.flatMap(({ row }) => row).sort((a, b) => b.gain - a.gain)[0];
  if (
    closest === undefined ||
    closest.broken === null ||
    closest.gain <= best.best.gain ||
    (closest.epoch === best.epoch && closest.weight <= best.maxWeight)
  )
    return null;
  return {
    text: `Epoch ${closest.epoch} at weight ${closest.weight} has the lowest loss of all (${change(closest.gain)} the base model's) and is still not the choice: there ${breakClause(closest)}.`,
    cells: [cell(closest)],
  };
}

function overfitReason({ scores, heldOut }: VerdictContext): Reason | null {
  const row = sameWeight(scores, fullWeight(scores));
  const lowest = row.reduce<Measure | undefined>((a, b) => (a === undefined || b.gain > a.gain ? b : a), undefined);
  const last = row.at(-1);
  if (!heldOut || lowest === undefined || last === undefined || last.epoch === lowest.epoch || lowest.gain <= 0) return null;
  if (last.gain > (1 - NOTICEABLE) * lowest.gain) return null;
  const why =
    last.trainGain < (1 - NOTICEABLE) * lowest.trainGain
      ? "and so does that on the training pictures: the training goes astray, a lower learning rate may help"
      : "while that on the training pictures does not: later epochs learn them by heart";
  const text = `After epoch ${lowest.epoch} the held-out loss rises again (from ${change(lowest.gain)} to ${change(last.gain)} the base model's), ${why}.`;
  return { text, cells: [cell(lowest), cell(last)] };
}

function growthReason({ best, scores }: VerdictContext): Reason | null {
  const row = sameWeight(scores, best.best.weight);
  const last = row.at(-1);
  const before = row.at(-2);
  if (last === undefined || before === undefined || last.epoch !== best.epoch || last.gain <= 0) return null;
  if (last.gain < (1 + NOTICEABLE) * Math.max(0, before.gain)) return null;
  return {
    text: `Likeness still grows at the last epoch (from ${change(before.gain)} to ${change(last.gain)}): it is not trained to its end, more steps may do better.`,
    cells: [cell(before), cell(last)],
  };
}

function copyReason({ best }: VerdictContext): Reason | null {
  const copied = best.row.filter(({ copied: share, weight }) => share > 0 && weight <= best.maxWeight);
  const weights = copied.map(({ weight }) => weight).join(", ");
  return copied.length === 0
    ? null
    : { text: `At weight ${weights} some cells are close copies of training pictures.`, cells: copied.map(cell) };
}

function alternativesReason({ best, ranked }: VerdictContext): Reason | null {
  const next = ranked.slice(1, 3).filter(({ usable }) => usable === best.usable && best.usable);
  if (next.length === 0) return null;
  const list = next.map(({ epoch, best: { weight, combined } }) => `epoch ${epoch} at ${weight} (${figure(combined)})`).join(" and ");
  return {
    text: `Next by the same measures: ${list}, against ${figure(best.best.combined)}. Look at them side by side.`,
    cells: next.map(({ best: at }) => cell(at)),
  };
}

function warnings({ best, scores, heldOut, drawn }: VerdictContext): Reason[] {
  const texts: string[] = [];
  if (!best.usable) texts.push("Train again with a lower learning rate or fewer steps, or draw lower weights.");
  if (!heldOut)
    texts.push("No pictures were held out, so likeness was measured on training pictures and can't tell learning from memorising.");
  if (!drawn) texts.push("No pictures were drawn, so broken ones could not be ruled out.");
  if (scores.length === 1) texts.push("There is one epoch only, so nothing to compare it with.");
  return texts.map((text) => ({ text, cells: [] }));
}

/** Change that is not taken for noise between neighbour epochs. */
const NOTICEABLE = 0.03;
/** Drift of another epoch that is worth a word. */
const NOTABLY = 1.1;
/** "Resembles" means this share of the best likeness. */
const MOST = 0.97;

function likeFrom({ best, scores }: VerdictContext): number {
  const row = sameWeight(scores, best.best.weight);
  const highest = Math.max(...row.map(({ likeness }) => likeness));
  return row.find(({ likeness }) => likeness >= MOST * highest)?.epoch ?? best.epoch;
}

/** The drawn weight nearest to 1, at which the losses were measured best. */
function fullWeight(scores: readonly EpochScore[]): number {
  const weights = scores.flatMap(({ row }) => row.map(({ weight }) => weight));
  return weights.reduce((best, weight) => (Math.abs(weight - 1) < Math.abs(best - 1) ? weight : best), Number.POSITIVE_INFINITY);
}

function sameWeight(scores: readonly EpochScore[], weight: number): ScoredMeasure[] {
  return scores.flatMap(({ row }) => row.filter((measure) => measure.weight === weight));
}

function breakingMeasure({ row, breakWeight }: EpochScore): ScoredMeasure | null {
  return row.find(({ weight }) => weight === breakWeight) ?? null;
}

function breakClause({ broken }: Measure): string {
  return broken === null ? "nothing breaks" : clauseOf(broken);
}

function clauseOf({ what, flags }: Break): string {
  switch (what) {
    case "black":
      return "pictures come out black or in one colour";
    case "leak":
      return "it overrides prompts that do not call it";
    case "collapse":
      return "every seed gives the same picture";
    case "drift":
      return "it overrides prompts that have nothing to do with it";
    case "damage":
      return damageClauses.find(([flag]) => flag === flags[0])?.[1] ?? "pictures break";
    default: {
      const unknown: never = what;
      return unknown;
    }
  }
}

const damageClauses: readonly (readonly [string, string])[] = [
  ["fried", "colours burn"],
  ["contrast", "contrast burns"],
  ["crunchy", "pictures turn crunchy"],
  ["mush", "pictures turn to mush"],
  ["banding", "pictures break into bands or blocks"],
];

function change(gain: number): string {
  return `${Math.abs(Math.round(gain * 1000) / 10)} % ${gain >= 0 ? "below" : "above"}`;
}

function figure(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toFixed(2))) : "beyond measure";
}

function cell({ epoch, weight }: Measure): { epoch: number; weight: number } {
  return { epoch, weight };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
