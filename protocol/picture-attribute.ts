import { type DatasetImage, ProblemCode } from "./dataset.js";
import { type AttributeHead, type FilterReader, FilterSyntaxError } from "./filter-reader.js";
import { tagKey } from "./tag-key.js";
import { tagPattern } from "./tag-pattern.js";

type Test = (image: DatasetImage) => boolean;

/** The test that an attribute at the reader's place means; null when there is none. Throws FilterSyntaxError for a value that makes no sense. */
export function readAttribute(reader: FilterReader): Test | null {
  const head = reader.takeAttributeHead();
  if (head === null) return null;
  return head.kind === "number" ? numberTest(head, reader.takeValue()) : textTest(head.name, reader);
}

function numberTest({ name, operator }: AttributeHead, value: string): Test {
  const number = NUMBERS[name];
  if (number === undefined) throw new FilterSyntaxError(`There is no attribute "${name}".`);
  const isMeant = comparison(operator.replace(/^:(?=.)/, ""), value, name);
  return (image) => {
    const measured = number(image);
    return measured !== null && isMeant(measured);
  };
}

/** Null for what is not known of a picture: no comparison is true of it. */
const NUMBERS: Record<string, (image: DatasetImage) => number | null> = {
  width: ({ width }) => width || null,
  height: ({ height }) => height || null,
  pixels: ({ width, height }) => width * height || null,
  ratio: ({ width, height }) => (height > 0 ? width / height : null),
  tokens: ({ tokens }) => tokens ?? null,
  tags: ({ tags }) => tags.length,
  bytes: ({ bytes }) => bytes,
};

function comparison(operator: string, value: string, name: string): (measured: number) => boolean {
  const signed = operator === ":" ? /^([<>]=?|!=|==?)(.+)$/.exec(value) : null;
  if (signed !== null) return comparison(signed[1] ?? "=", signed[2] ?? "", name);
  const range = /^(.*?)\.\.(.*)$/.exec(value);
  if (range !== null && [":", "=", "=="].includes(operator)) {
    const low = range[1] ? numberOf(range[1], name) : Number.NEGATIVE_INFINITY;
    const high = range[2] ? numberOf(range[2], name) : Number.POSITIVE_INFINITY;
    return (measured) => measured >= low && measured <= high;
  }
  const wanted = numberOf(value, name);
  switch (operator) {
    case ">":
      return (measured) => measured > wanted;
    case ">=":
      return (measured) => measured >= wanted;
    case "<":
      return (measured) => measured < wanted;
    case "<=":
      return (measured) => measured <= wanted;
    case "!=":
      return (measured) => !isEqual(measured, wanted);
    default:
      return (measured) => isEqual(measured, wanted);
  }
}

/** A ratio such as 1.33 is meant as people write it, to two digits. */
function isEqual(measured: number, wanted: number): boolean {
  return Number.isInteger(measured) ? measured === wanted : Math.abs(measured - wanted) < 0.005;
}

const UNITS: Record<string, number> = { "": 1, px: 1, b: 1, k: 1e3, kb: 1e3, m: 1e6, mb: 1e6, mp: 1e6, g: 1e9, gb: 1e9 };

function numberOf(text: string, name: string): number {
  const fraction = /^(\d+(?:\.\d+)?)[:/](\d+(?:\.\d+)?)$/.exec(text);
  if (fraction !== null && Number(fraction[2]) > 0) return Number(fraction[1]) / Number(fraction[2]);
  const plain = /^(-?\d*\.?\d+)([a-z]*)$/i.exec(text);
  const unit = UNITS[plain?.[2]?.toLowerCase() ?? ""];
  if (plain === null || unit === undefined) throw new FilterSyntaxError(`Expected a number for "${name}", but got "${text}".`);
  return Number(plain[1]) * unit;
}

function textTest(name: string, reader: FilterReader): Test {
  switch (name) {
    case "problem":
      return problemTest(reader.takeValue());
    case "rating":
      return ratingTest(reader.takeValue());
    case "format": {
      const format = reader
        .takeValue()
        .toLowerCase()
        .replace(/^\.?jpg$/, "jpeg");
      return (image) => image.format.toLowerCase() === format;
    }
    case "site": {
      const isMeant = tagPattern(reader.takeValue());
      return ({ origin }) => origin !== undefined && (isMeant(origin.site) || isMeant(origin.site.split(".")[0] ?? ""));
    }
    case "artist": {
      const isMeant = tagPattern(words(reader));
      return ({ origin }) => origin?.artists.some(isMeant) ?? false;
    }
    case "subset":
      return subsetTest(words(reader));
    case "name":
      return textContains(words(reader), ({ id }) => id);
    default:
      return textContains(words(reader), ({ caption }) => caption ?? "");
  }
}

function words(reader: FilterReader): string {
  return reader.takeQuoted() ?? reader.takeWords();
}

/** `problem:*` is any problem. */
function problemTest(value: string): Test {
  const isMeant = tagPattern(value);
  const codes = new Set<string>(ProblemCode.options.filter(isMeant));
  if (codes.size === 0)
    throw new FilterSyntaxError(`Expected a problem such as ${ProblemCode.options.slice(5, 9).join(", ")}, but got "${value}".`);
  return ({ problems }) => problems.some((code) => codes.has(code));
}

const RATINGS = ["general", "sensitive", "questionable", "explicit", "unknown"];

/** A picture without a known origin has an unknown rating: it is not taken for harmless. */
function ratingTest(value: string): Test {
  const wanted = RATINGS.find((rating) => rating === value.toLowerCase() || rating[0] === value.toLowerCase());
  if (wanted === undefined) throw new FilterSyntaxError(`Expected a rating (${RATINGS.join(", ")}), but got "${value}".`);
  return ({ origin }) => (origin?.rating ?? "unknown") === wanted;
}

/** A folder by its name, by a part of its name, or `good` and `weak` by which of the two it is. */
function subsetTest(value: string): Test {
  const wanted = tagKey(value);
  const isMeant = tagPattern(value);
  return ({ subset }) => {
    const key = tagKey(subset);
    if (isMeant(subset)) return true;
    if (` ${key.replace(/[/.]/g, " ")} `.includes(` ${wanted} `)) return true;
    return wanted === "good" && !/(^| )weak$/.test(key) && !/^reg(\/|$)/.test(key);
  };
}

function textContains(value: string, textOf: (image: DatasetImage) => string): Test {
  const isMeant = tagPattern(`*${value}*`);
  return (image) => isMeant(textOf(image));
}
