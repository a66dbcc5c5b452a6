import { describe, expect, it } from "vitest";
import { choose, noChoice, one, successor } from "../../ui/components/wall-choice.js";
import { rowsInSight, wallLayout } from "../../ui/components/wall-layout.js";
import { filterParts, togglePart } from "../../ui/data/picture-filter.js";

describe("the wall", () => {
  it("draws a few rows of any number of pictures, and never leaves the screen bare", () => {
    const layout = wallLayout({ count: 20_000, width: 1200, size: 168, gap: 8 });
    expect(layout).toMatchObject({ columns: 6, rows: 3334 });
    for (const top of [-500, 0, 1234, layout.height - 800, layout.height]) {
      const { first, end } = rowsInSight(layout, top, top + 900);
      expect((end - first) * layout.columns).toBeLessThan(150);
      expect(first * layout.pitch).toBeLessThanOrEqual(Math.max(0, top));
      expect(Math.min(layout.height, end * layout.pitch)).toBeGreaterThanOrEqual(Math.min(layout.height, top + 900));
    }
  });

  it("fits a screen that is narrower than a thumbnail, and an empty set", () => {
    expect(wallLayout({ count: 3, width: 100, size: 168, gap: 8 })).toMatchObject({ columns: 1, cell: 100, rows: 3 });
    expect(rowsInSight(wallLayout({ count: 0, width: 900, size: 168, gap: 8 }), 0, 900)).toEqual({ first: 0, end: 0 });
  });
});

describe("choosing pictures", () => {
  const ids = ["a", "b", "c", "d", "e"];

  it("takes ranges from where the last single one was, and one more or less", () => {
    const range = choose(choose(noChoice, ids, "b", "one"), ids, "d", "range");
    expect([...range.chosen]).toEqual(["b", "c", "d"]);
    expect([...choose(range, ids, "a", "range").chosen]).toEqual(["a", "b"]);
    const less = choose(range, ids, "c", "toggle");
    expect([...less.chosen]).toEqual(["b", "d"]);
    expect([...choose(less, ids, "e", "toggle").chosen]).toEqual(["b", "d", "e"]);
  });

  it("goes on to the next picture that stays, else to the one before", () => {
    expect(successor(ids, new Set(["b", "c"]), "b")).toBe("d");
    expect(successor(ids, new Set(["d", "e"]), "e")).toBe("c");
    expect(successor(ids, new Set(ids), "a")).toBeNull();
    expect(one(null).chosen.size).toBe(0);
  });
});

describe("the parts of a filter", () => {
  it("are those apart by commas outside of brackets and quotes", () => {
    const text = 'moss, (a, b or c), "x, y", subset:"1_x"';
    expect(filterParts(text)).toEqual(["moss", "(a, b or c)", '"x, y"', 'subset:"1_x"']);
    expect(togglePart(text, "moss")).toBe('(a, b or c), "x, y", subset:"1_x"');
    expect(togglePart("moss", "ratio<0.9")).toBe("moss, ratio<0.9");
  });
});
