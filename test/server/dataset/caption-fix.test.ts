import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCaption } from "../../../server/dataset/caption-bytes.js";
import { captionFixers, captionProblems } from "../../../server/dataset/caption-fix.js";
import { lintLine } from "../../../server/dataset/caption-lint.js";
import { isCostumeTag, isJunkTag, isOverlayTag } from "../../../server/dataset/tag-lists.js";
import { checkTriggerWord } from "../../../server/dataset/trigger-word.js";

function fixAll(text: string, triggerWord: string, flattened = false): string {
  return captionFixers.reduce((fixed, { fix }) => fix(fixed, { triggerWord, flattened }), text);
}

describe("lint", () => {
  test.each([
    ["a,b", "a, b"],
    [" a ,  b  c,", "a, b c"],
    [",, a,,b,", "a, b"],
    ["long_hair, Long Hair, long  hair", "long hair"],
    ["a，b、c", "a, b, c"],
    ["don&#039;t, &lt;3, a &amp;amp; b", "don't, <3, a & b"],
    ["saber \\(fate\\)", "saber (fate)"],
    ["^_^, >_<, 0_0, o_o, ||_||, :_d", "^_^, >_<, 0_0, o_o, ||_||, :_d"],
    ["my_word, my_other_word", "my_word, my other word"],
  ])("makes %j into %j", (before, after) => {
    expect(lintLine(before, "my_word")).toBe(after);
  });

  test("does not count a missing space after a comma or a last line end as a problem", () => {
    expect(captionProblems({ text: "a,b, c\n", encoding: null, bom: false }, "")).toEqual([]);
    expect(captionProblems({ text: "a,  b", encoding: null, bom: false }, "")).toEqual(["caption_lint"]);
  });
});

describe("caption fixes", () => {
  test("have nothing left to do after one pass, whatever the text", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ",",
        ", ",
        "_",
        " ",
        "\r\n",
        "\n",
        "&amp;",
        "&#44;",
        "&#x5c;",
        "\\(",
        ")",
        "，",
        "highres",
        "x (cosplay)",
        "transparent background",
        "trigger_word",
        "Trigger Word",
        "solo",
        "a",
        "^_^",
        "commentary request",
      ),
      fc.string({ unit: "binary", maxLength: 4 }),
    );
    const texts = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(""));
    const triggers = fc.oneof(
      fc.constantFrom("", "trigger_word", "highres", "transparent background", "x (cosplay)"),
      fc
        .string({ maxLength: 8 })
        .filter((word) => !/[,，、\r\n&]/.test(word))
        .map(checkTriggerWord),
    );
    fc.assert(
      fc.property(texts, triggers, fc.boolean(), (text, triggerWord, flattened) => {
        const fixed = fixAll(text, triggerWord, flattened);
        expect(fixAll(fixed, triggerWord, flattened)).toBe(fixed);
        const left = captionProblems({ text: fixed, encoding: null, bom: false }, triggerWord);
        expect(left.filter((code) => code !== "empty_caption" || triggerWord !== "")).toEqual([]);
      }),
      { numRuns: 500, seed: 7 },
    );
  });

  test("put the trigger word first without repeating it, and fill an empty caption with it", () => {
    expect(fixAll("1girl, Lantern Keeper, solo", "lantern_keeper")).toBe("lantern_keeper, 1girl, solo");
    expect(fixAll("1girl", "lantern_keeper")).toBe("lantern_keeper, 1girl");
    expect(fixAll("highres", "lantern_keeper")).toBe("lantern_keeper");
    expect(fixAll("", "lantern_keeper")).toBe("lantern_keeper");
  });

  test("rename a transparent background only where it was filled, without repeating tags", () => {
    expect(fixAll("a, transparent_background, simple background", "", true)).toBe("a, white background, simple background");
    expect(fixAll("white background, transparent background", "", true)).toBe("white background, simple background");
    expect(fixAll("a, transparent background", "", false)).toBe("a, transparent background");
  });
});

describe("tag lists", () => {
  test.each([
    "absurdres",
    "highres",
    "commentary",
    "commentary_request",
    "english commentary",
    "artist name",
    "commission",
    "skeb commission",
    "bad pixiv id",
    "bad twitter id",
    "translation request",
    "tagme",
    "md5 mismatch",
    "rating:safe",
    "check_translation",
    "huge filesize",
  ])("call %s junk", (tag) => {
    expect(isJunkTag(tag)).toBe(true);
  });
  test.each([
    "1girl",
    "request",
    "greyscale",
    "signature",
    "watermark",
    "general (person)",
    "pixiv logo",
    "commissar",
    "scanner",
    "video game",
    "sound effects",
    "long hair",
  ])("leave %s", (tag) => {
    expect(isJunkTag(tag)).toBe(false);
  });
  test.each([
    "alternate costume",
    "official alternate costume",
    "alternate hair length",
    "megumin (cosplay)",
    "saber (swimsuit) (fate)",
    "mossling (winter coat)",
    "Mossling_(winter_coat)",
  ])("call %s a costume", (tag) => {
    expect(isCostumeTag(tag, "mossling")).toBe(true);
  });
  test.each(["saber (fate)", "winter clothes", "mossling", "hat"])("leave %s as no costume", (tag) => {
    expect(isCostumeTag(tag, "mossling")).toBe(false);
  });
  test("know tags about text in the picture", () => {
    expect(["signature", "twitter username", "english text", "speech bubble"].every(isOverlayTag)).toBe(true);
    expect(isOverlayTag("hat")).toBe(false);
  });
});

describe("a caption's bytes", () => {
  const cp1251 = (words: string) =>
    Buffer.from([...words].map((c) => (c === "ё" ? 0xb8 : c >= "А" && c <= "я" ? c.charCodeAt(0) - 0x410 + 0xc0 : c.charCodeAt(0))));
  test.each<[string, Buffer, { text: string; encoding: string | null; bom: boolean }]>([
    ["plain", Buffer.from("a, b"), { text: "a, b", encoding: null, bom: false }],
    ["UTF-8", Buffer.from("красный, é, 猫"), { text: "красный, é, 猫", encoding: null, bom: false }],
    ["UTF-8 with a mark", Buffer.from("\uFEFFa"), { text: "a", encoding: null, bom: true }],
    ["CP1251", cp1251("девочка, 1girl, белый фон, solo"), { text: "девочка, 1girl, белый фон, solo", encoding: "CP1251", bom: false }],
    ["one word of CP1251", cp1251("лес"), { text: "лес", encoding: "CP1251", bom: false }],
    ["capitals of CP1251", cp1251("КРАСНЫЙ ПЛАЩ"), { text: "КРАСНЫЙ ПЛАЩ", encoding: "CP1251", bom: false }],
    ["CP1252", Buffer.from("garçon, crème brûlée", "latin1"), { text: "garçon, crème brûlée", encoding: "CP1252", bom: false }],
    ["UTF-16 with a mark", Buffer.from("\uFEFFгород, night", "utf16le"), { text: "город, night", encoding: "UTF-16", bom: false }],
    ["big-endian UTF-16", Buffer.from("\uFEFFa, b", "utf16le").swap16(), { text: "a, b", encoding: "UTF-16", bom: false }],
    ["UTF-16 without a mark", Buffer.from("1girl, solo", "utf16le"), { text: "1girl, solo", encoding: "UTF-16", bom: false }],
    [
      "Cyrillic UTF-16 without a mark",
      Buffer.from("девочка, белый фон", "utf16le"),
      { text: "девочка, белый фон", encoding: "UTF-16", bom: false },
    ],
    [
      "Shift JIS",
      Buffer.from([0x82, 0xa9, 0x82, 0xed, 0x82, 0xa2, 0x82, 0xa2, 0x2c, 0x20, 0x61]),
      { text: "かわいい, a", encoding: "Shift JIS", bom: false },
    ],
  ])("in %s are read as such", (_, bytes, decoded) => {
    expect(decodeCaption(bytes)).toEqual(decoded);
  });
});
