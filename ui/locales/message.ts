/** One text: plain, with `{name}` for what is filled in, or in the plural forms of its language, chosen by `{n}`. */
export type Message = string | Partial<Record<Intl.LDMLPluralRule, string>>;

export type Fill = Readonly<Record<string, string | number>>;

/** The text of a message for one language, filled in. Numbers are written as that language writes them. */
export function formatMessage(message: Message, language: string, fill: Fill = {}): string {
  const template = typeof message === "string" ? message : (message[rule(language, Number(fill.n ?? 0))] ?? message.other ?? "");
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = fill[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? numbers(language).format(value) : value;
  });
}

const rules = new Map<string, Intl.PluralRules>();
const formats = new Map<string, Intl.NumberFormat>();

function rule(language: string, n: number): Intl.LDMLPluralRule {
  const known = rules.get(language) ?? new Intl.PluralRules(language);
  rules.set(language, known);
  return known.select(n);
}

function numbers(language: string): Intl.NumberFormat {
  const known = formats.get(language) ?? new Intl.NumberFormat(language, { maximumFractionDigits: 4 });
  formats.set(language, known);
  return known;
}
