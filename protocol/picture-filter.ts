import type { DatasetImage } from "./dataset.js";
import { FilterReader, FilterSyntaxError } from "./filter-reader.js";
import { readAttribute } from "./picture-attribute.js";
import { tagPattern } from "./tag-pattern.js";

export type PictureTest = (image: DatasetImage) => boolean;

/** What a filter text means, or a sentence about what can't be understood in it. */
export type PictureFilter = { test: PictureTest } | { error: string };

/**
 * Which pictures a text means. Tags are joined by `and` `,` `&`, by `or` `|`, turned round by `not` `-` `!`, grouped by brackets; `and` binds
 * closer than `or`. A tag is the run of words up to the next operator, brackets of a title included (`name (series)`), or quoted; `*` is
 * any text. Attributes: `width height pixels ratio tokens tags bytes` with `> >= < <= = !=` or a range `a..b`, and
 * `problem: subset: site: artist: rating: format: name: caption:`. An empty text means all pictures.
 */
export function parsePictureFilter(text: string): PictureFilter {
  const reader = new FilterReader(text);
  try {
    reader.skipCommas();
    if (reader.isAtEnd()) return { test: () => true };
    const test = readOr(reader);
    reader.expectEnd();
    return { test };
  } catch (error) {
    if (error instanceof FilterSyntaxError) return { error: error.message };
    throw error;
  }
}

function readOr(reader: FilterReader): PictureTest {
  const tests = [readAnd(reader)];
  while (reader.takeOr()) tests.push(readAnd(reader));
  return tests.length === 1 && tests[0] !== undefined ? tests[0] : (image) => tests.some((test) => test(image));
}

function readAnd(reader: FilterReader): PictureTest {
  const tests = [readNot(reader)];
  while (reader.takeAnd() || reader.isAtOperand()) tests.push(readNot(reader));
  return tests.length === 1 && tests[0] !== undefined ? tests[0] : (image) => tests.every((test) => test(image));
}

function readNot(reader: FilterReader): PictureTest {
  if (!reader.takeNot()) return readOperand(reader);
  const test = readNot(reader);
  return (image) => !test(image);
}

function readOperand(reader: FilterReader): PictureTest {
  if (reader.takeOpening()) {
    const test = readOr(reader);
    reader.takeClosing();
    return test;
  }
  const attribute = readAttribute(reader);
  if (attribute !== null) return attribute;
  const isMeant = tagPattern(reader.takeQuoted() ?? reader.takeWords());
  return ({ tags }) => tags.some(isMeant);
}
