import { describe, expect, it } from "vitest";
import type { SettingsImport } from "../../protocol/settings-import.js";
import { withImported } from "../../ui/data/settings-import.js";

const report = (settings: Record<string, unknown>): SettingsImport => ({
  format: "sdScripts",
  settings,
  taken: [],
  notNeeded: [],
  unknown: [],
  refused: [],
});

describe("a draft that settings are imported into", () => {
  const draft = { baseModel: "pocket", settings: { epochs: 6, seed: 3 } };

  it("takes what the file says and keeps what it does not say", () => {
    expect(withImported(draft, report({ epochs: 8, networkDim: 32 }))).toEqual({
      baseModel: "pocket",
      settings: { epochs: 8, networkDim: 32, seed: 3 },
    });
  });

  it("stays as it is when nothing was taken", () => {
    expect(withImported(draft, report({}))).toEqual(draft);
  });
});
