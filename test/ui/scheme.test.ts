import { describe, expect, it } from "vitest";
import { schemeOfText } from "../../ui/data/scheme.js";

describe("the scheme of a foreign theme", () => {
  it("follows from the colour that its text has", () => {
    expect(schemeOfText("rgb(31, 41, 55)")).toBe("light");
    expect(schemeOfText("rgb(243, 244, 246)")).toBe("dark");
    expect(schemeOfText("rgba(255, 255, 255, 0.9)")).toBe("dark");
  });

  it("is left to the page's class where a browser tells no rgb", () => {
    expect(schemeOfText("color(srgb 0.1 0.1 0.1)")).toBeNull();
    expect(schemeOfText("")).toBeNull();
  });
});
