import { describe, expect, test } from "vitest";
import { balanceBoard } from "../../protocol/balance.js";

const pictures = (...tags: string[][]) => tags.map((own) => ({ tags: own }));
const axis = (name: string, images: { tags: string[] }[]) => {
  const found = balanceBoard(images).find((one) => one.axis === name);
  if (found === undefined) throw new Error(`no axis ${name}`);
  return found;
};

describe("the balance board", () => {
  test("names the views that no picture or almost none has", () => {
    const images = [
      ...Array.from({ length: 28 }, () => ({ tags: ["zorp", "Portrait", "from_side"] })),
      ...pictures(["zorp", "full body", "from behind"], ["zorp", "full body"]),
    ];
    expect(axis("angle", images).missing).toEqual([
      { tag: "from behind", images: 1, share: 1 / 29 },
      { tag: "from above", images: 0, share: 0 },
      { tag: "from below", images: 0, share: 0 },
    ]);
    expect(axis("framing", images).missing.map(({ tag }) => tag)).toEqual(["upper body", "cowboy shot"]);
    expect(axis("framing", images).dominant).toEqual({ tag: "portrait", images: 28, share: 28 / 30 });
  });

  test("says which clothes nearly every picture has, whatever they are", () => {
    const images = Array.from({ length: 10 }, (_, index) => ({ tags: index === 0 ? ["red dress"] : ["striped scarf", "black boots"] }));
    expect(axis("clothes", images)).toMatchObject({ known: 10, missing: [], dominant: { tag: "black boots", images: 9 } });
  });

  test("calls a view that most good sets have no tendency, nor one of a handful of pictures", () => {
    const many = Array.from({ length: 20 }, () => ({ tags: ["looking at viewer", "standing"] }));
    expect(axis("angle", many).dominant).toBeNull();
    expect(axis("pose", many).dominant).toBeNull();
    expect(axis("background", pictures(["white background"], ["white background"])).dominant).toBeNull();
  });

  test("knows nothing of an empty set, and says for a set without tags that all is missing", () => {
    expect(balanceBoard([]).every(({ missing, entries }) => missing.length === 0 && entries.length === 0)).toBe(true);
    expect(axis("framing", pictures([], []))).toMatchObject({ known: 0, entries: [], dominant: null });
    expect(axis("framing", pictures([], [])).missing).toHaveLength(4);
  });
});
