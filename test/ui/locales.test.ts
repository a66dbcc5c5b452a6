import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../protocol/errors.js";
import { en } from "../../ui/locales/en.js";
import { formatMessage, type Message } from "../../ui/locales/message.js";
import { ru } from "../../ui/locales/ru.js";

const forms = (message: Message): string[] => (typeof message === "string" ? [message] : Object.values(message));
const holes = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

describe("the texts of the page", () => {
  it("fill in the same facts in every language and form", () => {
    for (const [key, message] of Object.entries<Message>(en)) {
      const wanted = holes(forms(message).join(" "));
      const russian = Object.entries<Message>(ru).find(([other]) => other === key)?.[1];
      expect(russian, key).toBeDefined();
      for (const text of forms(russian ?? "")) expect(holes(text), key).toEqual(wanted);
    }
  });

  it("have all plural forms in Russian", () => {
    for (const [key, message] of Object.entries<Message>(ru))
      if (typeof message !== "string") expect(Object.keys(message).sort(), key).toEqual(["few", "many", "one", "other"]);
  });

  it("count as Russian counts", () => {
    const count = (n: number) => formatMessage(ru["datasets.pictures"], "ru", { n });
    expect([1, 2, 5, 11, 21, 104].map(count)).toEqual([
      "1 картинка",
      "2 картинки",
      "5 картинок",
      "11 картинок",
      "21 картинка",
      "104 картинки",
    ]);
  });

  it("write numbers as each language does", () => {
    expect(formatMessage(en["plan.steps"], "en", { n: 2520 })).toBe("2,520 steps");
    expect(formatMessage(ru["plan.steps"], "ru", { n: 2520 })).toMatch(/^2\s520 шагов$/);
  });

  it("know every error code", () => {
    for (const code of ErrorCode.options) for (const part of ["error", "remedy"]) expect(Object.keys(en)).toContain(`${part}.${code}`);
  });
});
