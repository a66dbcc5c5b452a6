import { describe, expect, test } from "vitest";
import { Settings } from "../../../protocol/settings.js";
import { engineWarnings } from "../../../server/plan/engine-warnings.js";
import { KOHYA_NAMES, OURS_ALONE } from "../../../server/plan/kohya-names.js";
import { planOf } from "../plan-of.js";

describe("the table of names", () => {
  const named = new Set(KOHYA_NAMES.values());

  test.each(Object.keys(Settings.shape))("gives %s an option of sd-scripts, or says that it is ours alone", (key) => {
    expect([named.has(key), OURS_ALONE.has(key)].filter(Boolean).length, `${key} is in both or none of KOHYA_NAMES and OURS_ALONE`).toBe(1);
  });

  test("names only settings that exist", () => {
    for (const key of [...named, ...OURS_ALONE]) expect(Object.keys(Settings.shape)).toContain(key);
  });
});

describe("a plan for sd-scripts", () => {
  const settings = planOf("ok").settings;

  test("warns of settings that only our trainer obeys", () => {
    const [warning] = engineWarnings({ ...settings, engine: "kohya", emaDecay: 0.99, commaChunks: true }, "sd1");
    expect(warning).toMatchObject({ code: "engine_limits", message: expect.stringMatching(/emaDecay, commaChunks/) });
  });

  test("that it obeys whole has no warning, nor has one for our own trainer", () => {
    expect(engineWarnings({ ...settings, engine: "kohya" }, "sd1")).toEqual([]);
    expect(engineWarnings({ ...settings, emaDecay: 0.99 }, "sd1")).toEqual([]);
  });
});
