import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Cell, Grid } from "../../../protocol/grid.js";
import { Grid as GridSchema } from "../../../protocol/grid.js";
import { readGridFile, writeGridFile } from "../../../server/grid/grid-file.js";
import { type JudgeInput, judgeGrid } from "../../../server/grid/judge.js";
import { flipPicture, type Picture } from "../../../server/grid/picture.js";
import { blocked, changed, drawing, noisy, saturated, writePng } from "./draw.js";

const weights = [0.5, 1, 1.5];
const prompts = ["mossling, forest", "a red ball", "mossling, beach"];

/** What each epoch × weight × prompt shows; the base cell shows drawing 500 + prompt. */
function show(epoch: number, weight: number, prompt: number): Picture {
  const base = drawing(500 + prompt);
  if (epoch === 0) return base;
  if (weight === 1.5) return prompt === 1 ? blocked(drawing(700)) : saturated(noisy(drawing(600 + prompt), prompt));
  if (prompt === 1) return noisy(base, epoch, 8);
  if (epoch === 2 && weight === 1 && prompt === 0) return flipPicture(drawing(3));
  return drawing(800 + prompt * 10 + epoch);
}

let input: JudgeInput;
let judged: Grid;
const flagsAt = (epoch: number, weight: number, prompt: number) =>
  judged.cells.find((cell) => cell.epoch === epoch && cell.weight === weight && cell.prompt === prompt)?.flags;

beforeAll(async () => {
  const gridDir = await mkdtemp(join(tmpdir(), "judge-"));
  await mkdir(join(gridDir, "cells"));
  await mkdir(join(gridDir, "training"));
  const cells: Cell[] = [];
  const add = async (epoch: number, weight: number, prompt: number) => {
    const file = `cells/${epoch}-${weight}-${prompt}.png`;
    await writePng(show(epoch, weight, prompt), join(gridDir, file));
    cells.push({ epoch, weight, prompt, seed: 1, file });
  };
  for (const prompt of prompts.keys()) {
    await add(0, 0, prompt);
    for (const epoch of [1, 2, 3]) for (const weight of weights) await add(epoch, weight, prompt);
  }
  const trainingImages: string[] = [];
  for (let index = 0; index < 16; index++) {
    const file = join(gridDir, "training", `${index}.png`);
    await writePng(drawing(index, 160), file);
    trainingImages.push(file);
  }
  const evaluations = [0.2, 0.16, 0.14, 0.13].map((loss, epoch) => ({
    epoch,
    trainLoss: loss,
    heldOutLoss: loss,
    drift: epoch * 0.004,
    atWeights: weights.map((weight) => ({ weight, trainLoss: loss, heldOutLoss: loss, drift: epoch * weight * 0.004 })),
  }));
  input = {
    gridDir,
    rows: [1, 2, 3].map((epoch) => ({ epoch, file: `m-${epoch}.safetensors`, label: `m-${epoch}` })),
    cells,
    settings: { enabled: true, weights, prompts, negativePrompt: "", seeds: [1], sampler: "ddim", steps: 20, cfgScale: 7 },
    width: 128,
    height: 128,
    clipSkip: 1,
    baseModel: "pocket",
    sheet: "sheet.png",
    evaluations,
    trainingImages,
    triggerWord: "mossling",
  };
  judged = await judgeGrid(input);
});

describe("the judge of a grid", () => {
  it("flags what is burnt, blocked or copied, and nothing else", () => {
    expect(flagsAt(1, 1.5, 0)).toContain("fried");
    expect(flagsAt(2, 1.5, 1)).toContain("banding");
    expect(flagsAt(2, 1, 0)).toEqual(["copy"]);
    for (const epoch of [1, 3])
      for (const weight of [0.5, 1])
        for (const prompt of prompts.keys()) expect(flagsAt(epoch, weight, prompt), `${epoch} ${weight} ${prompt}`).toEqual([]);
    for (const prompt of prompts.keys()) expect(flagsAt(0, 0, prompt)).toEqual([]);
  });

  it("flags prompts without the trigger word that became something else", () => expect(flagsAt(1, 1.5, 1)).toContain("leak"));

  it("makes the verdict of it", () => {
    expect(judged.verdict).toMatchObject({ epoch: 3, maxWeight: 1 });
    expect(judged.verdict?.scores.map(({ breakWeight }) => breakWeight)).toEqual([1.5, 1.5, 1.5]);
    expect(() => GridSchema.parse(judged)).not.toThrow();
  });

  it("gives flags but no verdict where nothing was measured or trained", async () => {
    const plain = await judgeGrid({ ...input, evaluations: [], trainingImages: [], triggerWord: "" });
    expect(plain.verdict).toBeNull();
    expect(plain.cells.filter(({ flags }) => flags.length > 0).length).toBeGreaterThan(0);
  });

  it("leaves out a cell whose file is gone or broken and passes over unreadable training pictures", async () => {
    const broken = join(input.gridDir, "cells", "broken.png");
    await writeFile(broken, "no picture");
    const cells = [
      ...input.cells.slice(0, 4),
      { epoch: 9, weight: 1, prompt: 0, seed: 1, file: "cells/broken.png" },
      { epoch: 9, weight: 1, prompt: 0, seed: 1, file: "cells/gone.png" },
    ];
    const grid = await judgeGrid({ ...input, cells, trainingImages: [...input.trainingImages, broken] });
    expect(grid.cells).toHaveLength(4);
  });

  it("flags a black cell and says nothing else of it", async () => {
    await writePng(
      changed(drawing(1), () => 0),
      join(input.gridDir, "cells", "black.png"),
    );
    const grid = await judgeGrid({
      ...input,
      cells: [...input.cells.slice(0, 1), { epoch: 1, weight: 1, prompt: 0, seed: 1, file: "cells/black.png" }],
    });
    expect(grid.cells[1]?.flags).toEqual(["black"]);
  });

  it("flags all seeds of a prompt that give one picture", async () => {
    const cells: Cell[] = [];
    for (const seed of [1, 2, 3]) {
      await writePng(drawing(500 + seed), join(input.gridDir, "cells", `base-${seed}.png`));
      await writePng(noisy(drawing(900), seed, 6), join(input.gridDir, "cells", `same-${seed}.png`));
      cells.push(
        { epoch: 0, weight: 0, prompt: 0, seed, file: `cells/base-${seed}.png` },
        { epoch: 1, weight: 1, prompt: 0, seed, file: `cells/same-${seed}.png` },
      );
    }
    const grid = await judgeGrid({ ...input, cells });
    expect(grid.cells.filter(({ epoch }) => epoch === 1).map(({ flags }) => flags)).toEqual([["collapse"], ["collapse"], ["collapse"]]);
  });

  it("judges a hundred cells of 128 pixels in about half a second", async () => {
    const cells = Array.from({ length: 100 }, (_, index) => ({
      ...input.cells[index % input.cells.length]!,
      epoch: 1 + Math.floor(index / 10),
    }));
    await judgeGrid({ ...input, cells });
    // Time of the processor, not of the clock: other tests run at the same time.
    const before = process.cpuUsage();
    await judgeGrid({ ...input, cells });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(1500);
  });
});

describe("grid.json", () => {
  it("comes back as it was written, and leaves no draft behind", async () => {
    const path = await writeGridFile(input.gridDir, judged);
    expect(await readGridFile(input.gridDir)).toEqual(judged);
    expect(JSON.parse(await readFile(path, "utf8")).gridVersion).toBe(1);
    expect((await readdir(input.gridDir)).filter((name) => name.includes("tmp"))).toEqual([]);
  });
  it("that is missing or no grid is refused in a sentence", async () => {
    const empty = await mkdtemp(join(tmpdir(), "judge-"));
    await expect(readGridFile(empty)).rejects.toMatchObject({ failure: { code: "not_found" } });
    await writeFile(join(empty, "grid.json"), '{"gridVersion": 2');
    await expect(readGridFile(empty)).rejects.toMatchObject({ failure: { code: "bad_request" } });
  });
});
