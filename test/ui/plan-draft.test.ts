import { describe, expect, it } from "vitest";
import { Settings } from "../../protocol/settings.js";
import { equivalentLearningRate, parseDraft, settingError, withSetting } from "../../ui/data/plan-draft.js";
import { settingFields } from "../../ui/data/setting-fields.js";

describe("the kept draft of a plan", () => {
  it("holds only what the person chose, through a reload too", () => {
    const draft = withSetting({ baseModel: "pocket", settings: {} }, "epochs", 6);
    expect(draft.settings).toEqual({ epochs: 6 });
    expect(parseDraft(JSON.stringify(draft))).toEqual(draft);
    expect(withSetting(draft, "epochs", undefined).settings).toEqual({});
  });

  it("survives whatever lies in the browser's storage", () => {
    const empty = { baseModel: "", settings: {} };
    for (const text of [null, "", "{", "[]", '{"baseModel":3}']) expect(parseDraft(text)).toEqual(empty);
    expect(parseDraft('{"baseModel":"m","settings":{"epochs":"many","gone":1}}')).toEqual({ baseModel: "m", settings: {} });
  });

  it("takes over no value that the server would refuse", () => {
    const draft = { baseModel: "m", settings: {} };
    expect(withSetting(draft, "epochs", 0)).toBe(draft);
    expect(settingError("epochs", 0)).not.toBeNull();
    expect(settingError("epochs", 8)).toBeNull();
  });

  it("tells a learning rate as it would be at alpha = dim", () => {
    expect(equivalentLearningRate(2e-3, 1, 64)).toBeCloseTo(2.5e-4, 12);
    expect(equivalentLearningRate(1e-4, 32, 32)).toBe(1e-4);
  });

  it("asks for every setting that a person can choose", () => {
    const elsewhere = ["subject", "grid", "subsetSettings", "subsetShares", "heldOutPictures"]; // forms of their own
    expect([...settingFields.map((field): string => field.key), ...elsewhere].sort()).toEqual(Object.keys(Settings.shape).sort());
  });
});
