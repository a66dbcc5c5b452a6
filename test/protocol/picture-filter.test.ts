import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DatasetImage } from "../../protocol/dataset.js";
import { parsePictureFilter } from "../../protocol/picture-filter.js";

function picture(tags: string[], facts: Partial<DatasetImage> = {}): DatasetImage {
  return {
    id: "7_lantern keeper/a.png",
    subset: "7_lantern keeper",
    width: 768,
    height: 512,
    format: "png",
    bytes: 200_000,
    transparent: false,
    phash: null,
    caption: tags.join(", "),
    tags,
    problems: [],
    tokens: 80,
    ...facts,
  };
}

function passes(filter: string, image: DatasetImage): boolean {
  const parsed = parsePictureFilter(filter);
  if ("error" in parsed) throw new Error(`${filter}: ${parsed.error}`);
  return parsed.test(image);
}

function errorOf(filter: string): string | null {
  const parsed = parsePictureFilter(filter);
  return "error" in parsed ? parsed.error : null;
}

const megumin = picture([
  "megumin (konosuba)",
  "long hair",
  "hat",
  "blue_sky",
  ":d",
  "-_-",
  "|_|",
  "long-sleeved shirt",
  "re:zero",
  "love live!",
  "!!",
]);

describe("a picture filter", () => {
  test.each([
    "",
    "  ",
    "hat",
    "HAT",
    "long hair",
    "long_hair",
    "blue sky",
    "long hair, hat",
    "long hair and hat",
    "long hair & hat && blue sky",
    "hat or cat",
    "cat | hat",
    "cat || hat",
    "not cat",
    "-cat",
    "- cat",
    "!cat",
    "NOT cat AND Hat",
    "hat -cat",
    "hat not cat",
    "hat !cat",
    "long hair, not cat",
    "(cat or hat) and long hair",
    "not (cat or dog)",
    "-(cat, hat)",
    "long hair (hat or cat)",
    "cat or (hat, (dog | blue sky))",
    "megumin (konosuba)",
    "megumin(konosuba)".replace("(", " ("),
    "megumin (konosuba) and hat",
    "(megumin (konosuba) or cat)",
    "megumin \\(konosuba\\)",
    '"megumin (konosuba)"',
    '"long hair" "hat"',
    "megumin*",
    "*(konosuba)",
    "l*g hair",
    "long-sleeved shirt",
    ":d",
    "-_-",
    "|_|",
    "not not hat",
    "re:zero",
    "love live!",
    ":) or hat",
    "!!",
    "cat, hat or hat",
    "hat or cat, dog",
    "hat,",
    ", hat,, long hair ,",
    "(hat,)",
    "hat tags>3",
    "tags = 11",
  ])("finds a picture by %s", (filter) => {
    expect(passes(filter, megumin)).toBe(true);
  });

  test.each([
    "ha",
    "hair",
    "long",
    "cat",
    "not hat",
    "-hat",
    "hat, cat",
    "hat and (cat or dog)",
    "megumin",
    "konosuba",
    "-megumin (konosuba)",
    '"long hair hat"',
    "long hair hat",
    "hat \\*",
    "(hat or cat) and dog",
    "tags<5",
    "cat or hat and dog",
    "hat -(long hair)",
  ])("passes a picture by at %s", (filter) => {
    expect(passes(filter, megumin)).toBe(false);
  });

  const made = picture(["solo"], {
    problems: ["transparent"],
    origin: { site: "danbooru.donmai.us", rating: "general", artists: ["some artist"] },
  });
  const plain = picture(["solo"], { tokens: 12, subset: "3_lantern keeper weak" });

  test.each([
    "width>=768",
    "width >= 768",
    "width:768",
    "width:>=700",
    "width:512..1024",
    "width:..800",
    "height<768 height=512",
    "height != 5",
    "ratio>1.4",
    "ratio=3:2",
    "ratio:3/2",
    "pixels<1m",
    "tokens>75",
    "tags<5",
    "bytes>100k",
    "bytes<1mb",
    "problem:transparent",
    "problem:*",
    "not problem:no_caption",
    "subset:7_lantern keeper",
    "subset:lantern keeper",
    "subset:good",
    'subset:"7_lantern keeper"',
    "subset:7_*",
    "site:danbooru",
    "site:danbooru.donmai.us",
    "artist:some artist",
    "artist:some_artist and solo",
    "artist:some*",
    "rating:general",
    "rating:g",
    "rating:general solo",
    "format:png",
    "name:keeper/a",
    "caption:sol",
    "subset:lantern keeper rating:general",
    "problem:transparent subset:good site:danbooru",
  ])("knows %s", (filter) => {
    expect(passes(filter, made)).toBe(true);
  });

  test("takes nothing for granted of a picture without facts", () => {
    for (const filter of ["tokens>75", "problem:*", "subset:good", "site:*", "artist:*", "rating:general"])
      expect(passes(filter, plain)).toBe(false);
    for (const filter of ["subset:weak", "rating:unknown"]) expect(passes(filter, plain)).toBe(true);
    expect(passes("width>0 or height>0 or ratio>0", picture([], { width: 0, height: 0 }))).toBe(false);
  });

  test.each([
    ["(hat", /closing|\)/],
    ["hat)", /before "\)"/],
    ['"hat', /quotation mark/],
    ["hat and", /Expected a tag at the end/],
    ["or hat", /before "or hat"/],
    ["hat or or cat", /before "or cat"/],
    ["not", /at the end/],
    ["width>wide", /number.*wide/],
    ["problem:ugly", /problem.*ugly/],
    ["rating:safe", /rating.*safe/],
    ["()", /tag/],
    ["width>", /value/],
  ])("says what is wrong with %s", (filter, sentence) => {
    expect(errorOf(filter)).toMatch(sentence);
  });

  test("has an answer to any text at all", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "grapheme" }),
          fc.string({ unit: fc.constantFrom(...'ab ()!-|&,":<>=*\\_', " or ", " and ", " not ", "tags<") }),
        ),
        (text) => {
          const parsed = parsePictureFilter(text);
          return "error" in parsed ? parsed.error.length > 0 : typeof parsed.test(megumin) === "boolean";
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("agrees with plain logic on nested expressions", () => {
    type Node = { text: string; truth: boolean };
    const leaf = fc.constantFrom<Node>({ text: "hat", truth: true }, { text: "cat", truth: false }, { text: "long hair", truth: true });
    const { node } = fc.letrec<{ node: Node }>((tie) => ({
      node: fc.oneof(
        { depthSize: "small" },
        leaf,
        tie("node").map(({ text, truth }) => ({ text: `not (${text})`, truth: !truth })),
        fc
          .tuple(tie("node"), tie("node"), fc.constantFrom("and", ",", "&"))
          .map(([a, b, and]) => ({ text: `(${a.text}) ${and} (${b.text})`, truth: a.truth && b.truth })),
        fc
          .tuple(tie("node"), tie("node"), fc.constantFrom("or", "|"))
          .map(([a, b, or]) => ({ text: `(${a.text}) ${or} (${b.text})`, truth: a.truth || b.truth })),
      ),
    }));
    fc.assert(fc.property(node, ({ text, truth }) => passes(text, megumin) === truth));
  });
});
