import { describe, expect, it } from "vitest";
import { promptKinds } from "../../../server/grid/prompt-kinds.js";

describe("prompts of a grid", () => {
  it("call the concept when they hold the trigger word as a whole word in any case", () => {
    expect(promptKinds(["Mossling, forest", "a mosslings nest", "red (mossling:1.2)", "ball"], "mossling").called).toEqual([0, 2]);
    expect(promptKinds(["c++ fan, tree", "tree"], "c++ fan").called).toEqual([0]);
  });

  it("all call it where there is no trigger word", () => expect(promptKinds(["a", "b"], " ")).toEqual({ called: [0, 1], kin: [] }));

  it("are kin when they ask for what all calling prompts ask for, and foreign otherwise", () => {
    const tags = [
      "mossling, 1creature, solo, antennae",
      "mossling, 1creature, solo, night, outdoors",
      "1creature, solo, night, outdoors",
      "a red house, night, outdoors",
    ];
    expect(promptKinds(tags, "mossling")).toEqual({ called: [0, 1], kin: [2] });
    const sentences = [
      "a photo of sks dog in the snow",
      "sks dog on a beach",
      "a photo of a dog on a beach",
      "a photo of a cup in the snow",
    ];
    expect(promptKinds(sentences, "sks").kin).toEqual([2]);
  });
});
