import { describe, expect, it } from "vitest";
import type { DatasetImage } from "../../protocol/dataset.js";
import { filterImages } from "../../ui/data/problems.js";
import { noFilter } from "../../ui/data/route.js";
import { countTags, joinTags, markChanges, splitCaption } from "../../ui/data/tags.js";

const image = (id: string, caption: string, problems: DatasetImage["problems"] = []): DatasetImage => ({
  id,
  subset: ".",
  width: 8,
  height: 8,
  format: "png",
  bytes: 9,
  transparent: false,
  phash: null,
  caption,
  tags: splitCaption(caption),
  problems,
});
const images = [
  image("1_x/a.png", "moss, red hat", ["transparent"]),
  image("1_x/b.png", "moss, solo"),
  image("1_x/c.png", "red hat, red hat"),
];
const shown = (filter: Partial<typeof noFilter>) => filterImages(images, { ...noFilter, ...filter }).map(({ id }) => id.slice(4, 5));

describe("the wall's filter", () => {
  it("keeps the pictures that have the problem, the whole tag, and what the text means", () => {
    expect(shown({ problem: "transparent" })).toEqual(["a"]);
    expect(shown({ has: "red hat" })).toEqual(["a", "c"]);
    expect(shown({ has: "red" })).toEqual([]);
    expect(shown({ text: "moss hat" })).toEqual(["a"]);
    expect(shown({ text: "MOSS -red hat" })).toEqual(["b"]);
    expect(shown({ text: "moss, problem:transparent | solo" })).toEqual(["a", "b"]);
    expect(shown({ text: "b.png" })).toEqual(["b"]);
  });
});

describe("tags", () => {
  it("are counted once a picture, most frequent first", () => {
    expect(countTags(images)).toEqual([
      { tag: "moss", count: 2 },
      { tag: "red hat", count: 2 },
      { tag: "solo", count: 1 },
    ]);
  });

  it("keep their order through an edit", () => {
    expect(joinTags(splitCaption(" a ,, b (c), d "))).toBe("a, b (c), d");
  });

  it("show what a fix takes out and puts in", () => {
    expect(markChanges("moss, bad id", "moss, solo")).toEqual([
      { tag: "moss", isChanged: false },
      { tag: "bad id", isChanged: true },
    ]);
  });
});
