/** What a filter text could not be understood for, as a sentence. */
export class FilterSyntaxError extends Error {}

/** Names that begin an attribute when a comparison or a colon follows. */
export const NUMBER_NAMES = ["width", "height", "pixels", "ratio", "tokens", "tags", "bytes"] as const;
export const TEXT_NAMES = ["problem", "subset", "site", "artist", "rating", "format", "name", "caption"] as const;

const ATTRIBUTE = new RegExp(`(?:(${NUMBER_NAMES.join("|")})\\s*(:?[<>]=?|:?!=|:?==?|:)|(${TEXT_NAMES.join("|")})\\s*[:=])\\s*`, "iy");
// Faces are tags although they hold operators.
const FACE = /(?:\|+_\|+|-[_.]-|[!?]{2,}|!)(?=[\s,)]|$)/y;

export type AttributeHead = { kind: "number" | "text"; name: string; operator: string };

/** A place in a filter text, and what can be taken from there. */
export class FilterReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isAtEnd(): boolean {
    this.#skipSpace();
    return this.#at >= this.#text.length;
  }

  /** True where another tag, group or attribute begins without an operator before it. */
  isAtOperand(): boolean {
    return !this.isAtEnd() && !(this.#depth > 0 && this.#text[this.#at] === ")") && this.#match(OR) === null;
  }

  skipCommas(): void {
    while (this.#take(/\s*,/y) !== null);
  }

  takeOr(): boolean {
    return !this.#isFace() && this.#take(OR) !== null;
  }

  /** Commas at the end and doubled ones mean nothing, as in captions. */
  takeAnd(): boolean {
    if (this.#take(/\s*(?:,|&&?)/y) !== null) {
      this.skipCommas();
      return this.isAtOperand();
    }
    return this.#take(/\s*and(?![^\s("!-])/iy) !== null;
  }

  takeNot(): boolean {
    return !this.#isFace() && this.#take(/\s*(?:not(?=[\s("]|$)|!|-)/iy) !== null;
  }

  takeOpening(): boolean {
    if (this.#take(/\s*\(/y) === null) return false;
    this.#depth++;
    return true;
  }

  takeClosing(): void {
    this.skipCommas();
    if (this.#take(/\s*\)/y) === null) throw new FilterSyntaxError(`Expected ")" ${this.#where()}.`);
    this.#depth--;
  }

  takeAttributeHead(): AttributeHead | null {
    this.#skipSpace();
    const match = this.#take(ATTRIBUTE);
    if (match === null) return null;
    const [, number, operator = ":", text] = match;
    return { kind: number === undefined ? "text" : "number", name: (number ?? text ?? "").toLowerCase(), operator };
  }

  takeQuoted(): string | null {
    this.#skipSpace();
    if (this.#text[this.#at] !== '"') return null;
    const match = this.#take(/"((?:[^"\\]|\\.)*)"/sy);
    if (match === null) throw new FilterSyntaxError(`Expected a closing quotation mark after ${this.#text.slice(this.#at)}.`);
    return (match[1] ?? "").replace(/\\(["\\])/g, "$1");
  }

  /** The characters up to the next space or operator. */
  takeValue(): string {
    const value = this.takeQuoted() ?? this.#take(/[^\s,&|()]+/y)?.[0];
    if (value === undefined) throw new FilterSyntaxError(`Expected a value ${this.#where()}.`);
    return value;
  }

  /** Words up to the next operator, attribute or group, one space apart. */
  takeWords(): string {
    const words: string[] = [];
    while (!this.isAtEnd() && (words.length === 0 || !this.#isAtBreak())) {
      const word = this.#takeWord();
      if (word === "") break;
      words.push(word);
    }
    if (words.length === 0) throw new FilterSyntaxError(`Expected a tag ${this.#where()}.`);
    return words.join(" ");
  }

  expectEnd(): void {
    if (!this.isAtEnd()) throw new FilterSyntaxError(`Expected an operator or the end ${this.#where()}.`);
  }

  /** What ends a run of words. */
  #isAtBreak(): boolean {
    if (this.#isFace()) return false;
    return this.#match(/(?:and|or|not)(?=[\s(),"]|$)|[-!]|"/iy) !== null || this.#match(ATTRIBUTE) !== null;
  }

  #takeWord(): string {
    const face = this.#take(FACE);
    if (face !== null) return face[0];
    if (this.#match(/(?:and|or)(?=[\s(),"]|$)/iy) !== null) return "";
    let word = "";
    for (;;) {
      const plain = this.#take(/(?:[^\s,&|()\\]|\\[^*])+/y);
      if (plain !== null) word += plain[0].replace(/\\(.)/g, "$1");
      const more = this.#take(/\\\*/y)?.[0] ?? this.#takeBracket(word);
      if (more === null) return word;
      word += more;
    }
  }

  /** A title's bracket, which may follow after a space; a lone bracket of a face only right behind its other characters. */
  #takeBracket(word: string): string | null {
    const title = this.#match(/\([^()]*(?:\([^()]*\)[^()]*)*\)/y)?.[0];
    if (title !== undefined && !/[,|&]|\s(?:and|or|not)\s|^\(\s*(?:not\s|[-!])/i.test(title)) return this.#skip(title);
    const isFace = /[^\p{L}\p{N}]$/u.test(word);
    if (isFace && title === undefined && this.#text[this.#at] === "(") return this.#skip("(");
    return isFace && this.#depth === 0 && this.#text[this.#at] === ")" ? this.#skip(")") : null;
  }

  #isFace(): boolean {
    this.#skipSpace();
    return this.#match(FACE) !== null;
  }

  #where(): string {
    const rest = this.#text.slice(this.#at).trim();
    return rest === "" ? "at the end" : `before "${rest}"`;
  }

  #skipSpace(): void {
    this.#take(/\s+/y);
  }

  #skip(text: string): string {
    this.#at += text.length;
    return text;
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    const match = this.#match(pattern);
    if (match !== null) this.#at += match[0].length;
    return match;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text);
  }
}

const OR = /\s*(?:\|\|?|or(?=[\s("!-]|$))/iy;
