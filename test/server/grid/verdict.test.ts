import { describe, expect, it } from "vitest";
import type { CellFlag, JudgedCell } from "../../../protocol/grid.js";
import { makeVerdict, type VerdictInput } from "../../../server/grid/verdict.js";
import type { EpochEvaluation } from "../../../server/grid/verdict-measures.js";

const weights = [0.4, 0.6, 0.8, 0.9, 1, 1.2];

// Two real runs on a small model: one at a sensible learning rate, one at five times that. The hot one reaches the
// lower held-out loss and is useless: every prompt becomes the creature from weight 0.4 on.
const published = {
  cool: {
    train: [0.1233, 0.0915, 0.0824, 0.0769, 0.0749, 0.0735, 0.0732],
    heldOut: [0.1454, 0.105, 0.0978, 0.0908, 0.087, 0.0859, 0.0863],
    drift: [0, 0.0146, 0.0189, 0.0215, 0.0241, 0.0255, 0.0254],
  },
  hot: {
    train: [0.1233, 0.0861, 0.0962, 0.0756, 0.0713, 0.0677, 0.0662],
    heldOut: [0.1454, 0.0986, 0.1101, 0.0923, 0.0828, 0.0802, 0.0781],
    drift: [0, 0.0335, 0.0355, 0.0379, 0.0389, 0.0432, 0.0442],
  },
};

type Curves = { train: readonly number[]; heldOut: readonly (number | null)[]; drift: readonly number[] };

function evaluations({ train, heldOut, drift }: Curves, firstEpoch = 0): EpochEvaluation[] {
  return train.map((trainLoss, index) => ({
    epoch: firstEpoch + index,
    trainLoss,
    heldOutLoss: heldOut[index] ?? null,
    drift: drift[index] ?? 0,
    atWeights: [],
  }));
}

/** Prompt 0 calls the concept, prompt 1 does not. */
function cells(
  epochs: readonly number[],
  flags: (epoch: number, weight: number, prompt: number) => CellFlag[],
  columns = weights,
): JudgedCell[] {
  return epochs.flatMap((epoch) =>
    columns.flatMap((weight) =>
      [0, 1].map((prompt) => ({
        epoch,
        weight,
        prompt,
        seed: 1,
        file: `${epoch}-${weight}-${prompt}.png`,
        flags: flags(epoch, weight, prompt),
      })),
    ),
  );
}

const epochs = [1, 2, 3, 4, 5, 6];
const coolFlags = (_: number, weight: number, prompt: number): CellFlag[] => (weight >= 1.2 && prompt === 1 ? ["leak"] : []);
const hotFlags = (epoch: number, weight: number, prompt: number): CellFlag[] =>
  prompt === 1 && weight >= 0.4 ? ["leak"] : epoch === 1 && weight >= 1 ? ["fried"] : [];

function judge(curves: Curves, flags: typeof coolFlags, more: Partial<VerdictInput> = {}) {
  return makeVerdict({ evaluations: evaluations(curves), judgedCells: cells(epochs, flags), weights, triggerPromptIndexes: [0], ...more })!;
}

const said = (verdict: { sentence: string; reasons: { text: string }[] }) =>
  [verdict.sentence, ...verdict.reasons.map(({ text }) => text)].join("\n");

describe("two published runs", () => {
  it("the cool one is best late and usable up to 0.9 or 1", () => {
    const verdict = judge(published.cool, coolFlags);
    expect(verdict.epoch).toBeGreaterThanOrEqual(4);
    expect(verdict.maxWeight).toBe(1);
    expect(verdict.sentence).toContain(
      `Epoch ${verdict.epoch}, up to weight 1, looks strongest by these measures. It resembles most from epoch`,
    );
    expect(verdict.sentence).toContain("at 1.2 it overrides prompts");
    expect(said(verdict)).toContain("% below the base model's");
    expect(verdict.alternatives).toHaveLength(2);
  });

  it("the hot one is told to override prompts and gets a low weight", () => {
    const verdict = judge(published.hot, hotFlags);
    expect(verdict.maxWeight).toBeLessThanOrEqual(0.4);
    expect(said(verdict)).toContain("overrides prompts");
    expect(said(verdict)).toContain("lower learning rate");
  });

  it("the hot one with a gentle column is kept below the weight at which it overrides prompts", () => {
    const columns = [0.2, ...weights];
    const verdict = judge(published.hot, hotFlags, { weights: columns, judgedCells: cells(epochs, hotFlags, columns) });
    expect(verdict.maxWeight).toBe(0.2);
    expect(verdict.sentence).toContain("at 0.4 it overrides prompts");
  });

  it("side by side in one grid, the cool one is preferred although the hot one has the lower held-out loss", () => {
    const both = [...evaluations(published.cool), ...evaluations(published.hot, 6).filter(({ epoch }) => epoch > 6)];
    const judgedCells = [
      ...cells(epochs, coolFlags),
      ...cells([7, 8, 9, 10, 11, 12], (epoch, weight, prompt) => hotFlags(epoch - 6, weight, prompt)),
    ];
    const verdict = makeVerdict({ evaluations: both, judgedCells, weights, triggerPromptIndexes: [0] })!;
    expect(verdict.epoch).toBeLessThanOrEqual(6);
    expect(Math.min(verdict.epoch, ...verdict.alternatives)).toBeGreaterThan(0);
    expect(Math.max(verdict.epoch, ...verdict.alternatives)).toBeLessThanOrEqual(6);
    expect(said(verdict)).toMatch(
      /Epoch 12 at weight \S+ has the lowest loss of all \(46\.3 % below the base model's\) and is still not the choice: there it overrides prompts/,
    );
  });

  it("are told apart by drift alone where no picture was drawn", () => {
    const cool = judge(published.cool, coolFlags, { judgedCells: [] });
    const hot = judge(published.hot, hotFlags, { judgedCells: [] });
    expect(cool.scores.every(({ breakWeight }) => breakWeight === null)).toBe(true);
    expect(hot.scores.every(({ breakWeight }) => breakWeight === 1)).toBe(true);
    expect(said(hot)).toContain("drift");
    expect(said(cool)).toContain("No pictures were drawn");
  });
});

describe("the verdict", () => {
  const fine = () => [] as CellFlag[];

  it("measures each weight by its own losses where the trainer measured them", () => {
    const measured = evaluations(published.cool).map((evaluation) => ({
      ...evaluation,
      atWeights: weights.map((weight) => ({
        weight,
        trainLoss: evaluation.trainLoss * (1 + Math.abs(weight - 0.8)),
        heldOutLoss: evaluation.heldOutLoss,
        drift: weight * 0.01,
      })),
    }));
    expect(judge(published.cool, fine, { evaluations: measured }).weight).toBe(0.8);
  });

  it("takes the height of the gain from the held-out pictures at weight 1, where all of them are measured", () => {
    // One held-out picture alone, measured at the low weight, would look like no gain at all.
    const measured = evaluations(published.cool).map((evaluation) => ({
      ...evaluation,
      atWeights: [0.6, 1].map((weight) => ({
        weight,
        trainLoss: evaluation.trainLoss * (weight === 1 ? 1 : 1.1),
        heldOutLoss: weight === 1 ? evaluation.heldOutLoss : 0.16,
        drift: weight * 0.02,
      })),
    }));
    const verdict = judge(published.cool, fine, { evaluations: measured, weights: [0.6, 1] });
    expect(verdict.scores.every(({ likeness }) => likeness > 0.5)).toBe(true);
    expect(said(verdict)).not.toContain("rises again");
  });

  it("counts leaks into prompts of the same kind against flexibility, but not as broken", () => {
    const verdict = judge(published.cool, (_, weight, prompt) => (weight >= 0.8 && prompt === 1 ? ["leak"] : []), {
      kinPromptIndexes: [1],
    });
    expect(verdict.maxWeight).toBe(1.2);
    expect(said(verdict)).toContain("From weight 0.8 on it answers prompts of the same kind without the trigger word");
  });

  it("of an undertrained run picks the last epoch and says that more steps may do better", () => {
    const heldOut = [0.145, 0.144, 0.142, 0.139, 0.135, 0.13, 0.124];
    const verdict = judge({ train: heldOut, heldOut, drift: heldOut.map((_, index) => index * 0.0005) }, fine);
    expect(verdict.epoch).toBe(6);
    expect(said(verdict)).toContain("still grows at the last epoch");
    expect(verdict.sentence).toContain("no drawn weight breaks");
  });

  it("of an overfitted run stays near the lowest held-out loss and says when it rises again", () => {
    const heldOut = [0.145, 0.12, 0.105, 0.1, 0.108, 0.118, 0.128];
    const verdict = judge(
      { train: [0.12, 0.1, 0.09, 0.08, 0.06, 0.04, 0.02], heldOut, drift: [0, 0.005, 0.008, 0.01, 0.013, 0.016, 0.02] },
      fine,
    );
    expect([2, 3]).toContain(verdict.epoch);
    expect(said(verdict)).toMatch(
      /After epoch 3 the held-out loss rises again .* while that on the training pictures does not: later epochs learn them by heart/,
    );
  });

  it("tells a training that goes astray from one that learns by heart", () => {
    const losses = [0.19, 0.17, 0.21, 0.27];
    expect(said(judge({ train: losses, heldOut: losses, drift: [0, 0.01, 0.02, 0.03] }, fine))).toMatch(
      /and so does that on the training pictures: .* lower learning rate/,
    );
  });

  it("is not fooled by one lucky epoch: neighbours are smoothed", () => {
    const heldOut = [0.145, 0.13, 0.1, 0.13, 0.112, 0.11, 0.111];
    expect(judge({ train: heldOut, heldOut, drift: heldOut.map(() => 0.01) }, fine).epoch).toBeGreaterThan(3);
  });

  it("of a run without held-out pictures goes by the training pictures and says so", () => {
    const verdict = judge({ ...published.cool, heldOut: [] }, coolFlags);
    expect(verdict.epoch).toBeGreaterThanOrEqual(4);
    expect(said(verdict)).toContain("No pictures were held out");
    expect(said(verdict)).toContain("loss on training pictures");
  });

  it("never chooses a black epoch, and its neighbours do not suffer from it", () => {
    const heldOut = [0.145, 0.12, 0.11, 0.1, 0.9, 0.104, 0.105];
    const verdict = judge({ train: heldOut, heldOut, drift: [0, 0.01, 0.01, 0.01, 0.5, 0.01, 0.01] }, (epoch) =>
      epoch === 4 ? ["black"] : [],
    );
    expect(verdict.epoch).toBe(3);
    expect(verdict.scores.find(({ epoch }) => epoch === 4)).toMatchObject({ combined: 0, breakWeight: 0.4 });
  });

  it("takes a loss that is no number for the worst", () => {
    const heldOut = [0.145, 0.12, Number.NaN];
    const verdict = judge({ train: heldOut, heldOut, drift: [0, 0.01, Number.NaN] }, fine);
    expect(verdict.epoch).toBe(1);
    expect(said(verdict)).not.toContain("NaN");
  });

  it("of all broken cells recommends the least broken with a warning", () => {
    const verdict = judge(published.cool, (epoch, weight) => (epoch === 2 && weight === 0.4 ? ["crunchy"] : ["fried", "crunchy"]), {
      judgedCells: cells(epochs, (epoch, weight, prompt) => (epoch === 2 && weight === 0.4 && prompt === 1 ? [] : ["fried"])),
    });
    expect(verdict).toMatchObject({ epoch: 2, weight: 0.4, maxWeight: 0.4 });
    expect(verdict.sentence).toBe("Every weight breaks something; epoch 2 at weight 0.4 breaks least. Colours burn.");
    expect(said(verdict)).toContain("Train again");
  });

  it("lets one bad cell at a low weight pass when everything above it is fine", () => {
    const verdict = judge(published.cool, (_, weight) => (weight === 0.4 ? ["mush"] : []));
    expect(verdict.maxWeight).toBe(1.2);
  });

  it("works with one epoch, one weight, and weights that are not positive", () => {
    const short = {
      train: published.cool.train.slice(0, 2),
      heldOut: published.cool.heldOut.slice(0, 2),
      drift: published.cool.drift.slice(0, 2),
    };
    const one = judge(short, fine, { weights: [1] });
    expect(one).toMatchObject({ epoch: 1, weight: 1, maxWeight: 1, alternatives: [] });
    expect(said(one)).toContain("one epoch only");
    expect(judge(short, fine, { weights: [-1], judgedCells: [] })).toMatchObject({ weight: -1, maxWeight: -1 });
    expect(judge(short, fine, { weights: [0, -0.5, 0.5], judgedCells: [] })).toMatchObject({ weight: 0.5, maxWeight: 0.5 });
  });

  it("says when no epoch comes closer to the pictures than the base model", () => {
    const heldOut = [0.1, 0.11, 0.12];
    expect(judge({ train: heldOut, heldOut, drift: [0, 0.01, 0.01] }, fine).sentence).toContain("No epoch comes closer");
  });

  it("weighs flexibility more for a style than for a character", () => {
    const style = judge(published.cool, fine, { subject: "style" });
    const character = judge(published.cool, fine, { subject: "character" });
    expect(style.epoch).toBeLessThan(character.epoch);
  });

  it("mentions copies of training pictures below the highest weight, and prefers epochs without them", () => {
    const same = {
      train: [0.12, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
      heldOut: [0.14, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
      drift: [0, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01],
    };
    expect(judge(same, (epoch) => (epoch > 2 ? ["copy"] : [])).epoch).toBeLessThanOrEqual(2);
    expect(said(judge(same, () => ["copy"]))).toContain("close copies of training pictures");
  });

  it("passes over epochs and weights that are not drawn yet while others are", () => {
    const judgedCells = cells(epochs, fine).filter(({ epoch, weight }) => epoch < 3 || (epoch === 3 && weight < 0.8));
    const verdict = judge(published.cool, fine, { judgedCells });
    expect(verdict.scores.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(judge(published.cool, fine, { judgedCells: judgedCells.filter(({ epoch }) => epoch === 3) }).maxWeight).toBe(0.6);
  });

  it("is null without a measured base model or without epochs", () => {
    expect(makeVerdict({ evaluations: [], judgedCells: [], weights, triggerPromptIndexes: [] })).toBeNull();
    expect(
      makeVerdict({ evaluations: evaluations(published.cool).slice(0, 1), judgedCells: [], weights, triggerPromptIndexes: [] }),
    ).toBeNull();
    expect(
      makeVerdict({ evaluations: evaluations(published.cool).slice(1), judgedCells: [], weights, triggerPromptIndexes: [] }),
    ).toBeNull();
  });
});
