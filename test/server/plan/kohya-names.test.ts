import { describe, expect, test } from "vitest";
import { Settings } from "../../../protocol/settings.js";
import { KOHYA_NAMES, OURS_ALONE } from "../../../server/plan/kohya-names.js";

describe("the table of names", () => {
  const named = new Set(KOHYA_NAMES.values());

  test.each(Object.keys(Settings.shape))("gives %s an option of sd-scripts, or says that it is ours alone", (key) => {
    expect([named.has(key), OURS_ALONE.has(key)].filter(Boolean).length, `${key} is in both or none of KOHYA_NAMES and OURS_ALONE`).toBe(1);
  });

  test("names only settings that exist", () => {
    for (const key of [...named, ...OURS_ALONE]) expect(Object.keys(Settings.shape)).toContain(key);
  });
});
