import type { DatasetImage } from "./dataset.js";

/** What a set should vary in, so that a LoRA learns its subject and not the rest of the pictures. */
export const balanceAxes = ["angle", "framing", "pose", "expression", "clothes", "background"] as const;
export type BalanceAxis = (typeof balanceAxes)[number];

/** `share`: of the pictures that say anything on this axis, 0–1. */
export type BalanceEntry = { tag: string; images: number; share: number };

export type AxisBalance = {
  axis: BalanceAxis;
  /** Pictures with at least one tag of the axis. */
  known: number;
  /** Its tags in the set, most frequent first. */
  entries: BalanceEntry[];
  /** Tags of the axis that a varied set has and this one has not, or in fewer than one of 20 pictures. */
  missing: BalanceEntry[];
  /** The tag that so many pictures have that the LoRA takes it for a part of its subject; null when there is none. */
  dominant: BalanceEntry | null;
};

const FEW = 0.05;
const DOMINANT = 0.8;
/** Fewer pictures than these show no tendency. */
const ENOUGH = 5;

/** How a set's pictures are spread over each axis, by their tags. Regularisation pictures are to be left out by the caller. */
export function balanceBoard(images: readonly Pick<DatasetImage, "tags">[]): AxisBalance[] {
  const tagged = images.map(({ tags }) => new Set(tags.map(plainTag)));
  return balanceAxes.map((axis) => axisBalance(axis, tagged));
}

function axisBalance(axis: BalanceAxis, tagged: readonly ReadonlySet<string>[]): AxisBalance {
  const { knows, wanted, ordinary } = AXES[axis];
  const counts = new Map<string, number>();
  let known = 0;
  for (const tags of tagged) {
    const own = [...tags].filter(knows);
    if (own.length > 0) known++;
    for (const tag of own) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }
  const entryOf = (tag: string, count: number): BalanceEntry => ({ tag, images: count, share: known === 0 ? 0 : count / known });
  const entries = [...counts].map(([tag, count]) => entryOf(tag, count)).sort((a, b) => b.images - a.images || (a.tag < b.tag ? -1 : 1));
  const missing = wanted
    .map((tag) => entryOf(tag, counts.get(tag) ?? 0))
    .filter(({ images }) => images === 0 || images < FEW * tagged.length);
  const first = entries.find(({ tag }) => !ordinary.includes(tag));
  const isDominant = first !== undefined && tagged.length >= ENOUGH && first.images >= DOMINANT * tagged.length;
  return { axis, known, entries, missing: tagged.length === 0 ? [] : missing, dominant: isDominant ? first : null };
}

/** A tag as the lists below have it: without underscores, escapes and the case of its letters. */
function plainTag(tag: string): string {
  return tag.toLowerCase().replaceAll("\\", "").replaceAll("_", " ").replace(/\s+/g, " ").trim();
}

type Axis = {
  knows: (tag: string) => boolean;
  /** What a varied set has of it. */
  wanted: readonly string[];
  /** Tags that most pictures may have without harm. */
  ordinary: readonly string[];
};

const oneOf = (...tags: string[]) => {
  const set = new Set(tags);
  return (tag: string) => set.has(tag);
};

const GARMENTS =
  /(^|[ -])(dress|shirt|t-shirt|blouse|skirt|pants|trousers|shorts|jeans|coat|jacket|cardigan|sweater|hoodie|vest|uniform|serafuku|kimono|yukata|hakama|robe|cape|cloak|armor|swimsuit|bikini|apron|bodysuit|leotard|overalls|suit|gown|pajamas|hat|cap|beret|hood|helmet|boots|shoes|sandals|gloves|mittens|scarf|thighhighs|pantyhose|socks|leggings|bow|bowtie|necktie|ribbon|choker|glasses|belt|clothes)$/;

const AXES: Readonly<Record<BalanceAxis, Axis>> = {
  angle: {
    knows: oneOf(
      ...["from side", "from behind", "from above", "from below", "profile", "looking back", "straight-on", "dutch angle"],
      ...["three quarter view", "facing away", "facing viewer", "looking at viewer", "looking away", "looking to the side", "upside-down"],
    ),
    wanted: ["from side", "from behind", "from above", "from below"],
    ordinary: ["looking at viewer", "facing viewer", "straight-on"],
  },
  framing: {
    knows: oneOf(
      "portrait",
      "upper body",
      "cowboy shot",
      "full body",
      "lower body",
      "close-up",
      "wide shot",
      "very wide shot",
      "head out of frame",
    ),
    wanted: ["portrait", "upper body", "cowboy shot", "full body"],
    ordinary: [],
  },
  pose: {
    knows: oneOf(
      ...["standing", "sitting", "lying", "walking", "running", "kneeling", "squatting", "jumping", "leaning forward", "crouching"],
      ...[
        "on back",
        "on side",
        "on stomach",
        "arms up",
        "arm up",
        "crossed arms",
        "hand on own hip",
        "hands on own hips",
        "standing on one leg",
      ],
      ...["wariza", "seiza", "indian style", "contrapposto", "hand up", "hands up", "outstretched arms", "arms behind back"],
    ),
    wanted: ["standing", "sitting", "walking", "lying"],
    ordinary: ["standing"],
  },
  expression: {
    knows: oneOf(
      ...["smile", "open mouth", "closed mouth", "expressionless", "closed eyes", "frown", "angry", "sad", "crying", "tears", "surprised"],
      ...["laughing", "grin", "smirk", "pout", "light smile", "serious", "embarrassed", "blush", "scared", "one eye closed", "parted lips"],
    ),
    wanted: ["smile", "open mouth", "closed mouth", "closed eyes"],
    ordinary: ["closed mouth"],
  },
  clothes: { knows: (tag) => GARMENTS.test(tag), wanted: [], ordinary: [] },
  background: {
    knows: (tag) =>
      /(^| )background$/.test(tag) ||
      oneOf(
        ...["outdoors", "indoors", "sky", "night", "day", "sunset", "forest", "city", "street", "beach", "ocean", "mountain", "snow"],
        ...["classroom", "bedroom", "kitchen", "library", "garden", "field", "river", "rain", "ruins", "tree", "building", "water"],
      )(tag),
    wanted: ["simple background", "outdoors", "indoors"],
    ordinary: [],
  },
};
