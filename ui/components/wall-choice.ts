/** Which pictures are chosen: the one the keyboard is on, where a range began, and all of them. */
export type WallChoice = { current: string | null; anchor: string | null; chosen: ReadonlySet<string> };

export const noChoice: WallChoice = { current: null, anchor: null, chosen: new Set() };

/** How a picture was pointed at: alone, as the other end of a range (Shift), or one more or less (Ctrl). */
export type Pointing = "one" | "range" | "toggle";

export function choose({ current, anchor, chosen }: WallChoice, ids: readonly string[], id: string, how: Pointing): WallChoice {
  switch (how) {
    case "one":
      return one(id);
    case "toggle": {
      const next = new Set(chosen.size === 0 && current !== null ? [current] : chosen);
      if (!next.delete(id)) next.add(id);
      return { current: id, anchor: id, chosen: next };
    }
    case "range": {
      const from = ids.indexOf(anchor ?? current ?? id);
      const to = ids.indexOf(id);
      if (from < 0 || to < 0) return one(id);
      return { current: id, anchor: ids[from] ?? id, chosen: new Set(ids.slice(Math.min(from, to), Math.max(from, to) + 1)) };
    }
    default: {
      const unknownPointing: never = how;
      return unknownPointing;
    }
  }
}

export function one(id: string | null): WallChoice {
  return { current: id, anchor: id, chosen: new Set(id === null ? [] : [id]) };
}

export function all(choice: WallChoice, ids: readonly string[]): WallChoice {
  return { ...choice, current: choice.current ?? ids[0] ?? null, chosen: new Set(ids) };
}

/** The picture that gets the keyboard when the chosen ones leave the wall: the next that stays, else the one before. */
export function successor(ids: readonly string[], leaving: ReadonlySet<string>, current: string | null): string | null {
  const at = current === null ? -1 : ids.indexOf(current);
  for (let i = at + 1; i < ids.length; i++) if (!leaving.has(ids[i] ?? "")) return ids[i] ?? null;
  for (let i = at - 1; i >= 0; i--) if (!leaving.has(ids[i] ?? "")) return ids[i] ?? null;
  return null;
}
