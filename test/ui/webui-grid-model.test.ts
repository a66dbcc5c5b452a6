import { describe, expect, it } from "vitest";
import type { RenderSettings } from "../../protocol/host.js";
import { applyEvent, type Job, type JobEvent, newJob } from "../../protocol/job.js";
import { drawingSettings } from "../../ui/data/drawing.js";
import { cellAt, noLora } from "../../ui/data/grid-model.js";
import { webuiGridModel } from "../../ui/data/webui-grid-model.js";

const settings: RenderSettings = {
  prompts: ["moss", "moss, night"],
  negativePrompt: "",
  sampler: "Euler a",
  scheduler: null,
  steps: 28,
  cfgScale: 6,
  width: 512,
  height: 640,
  clipSkip: 2,
  checkpoint: "base.safetensors [ab]",
};
const queued = newJob({ id: "j", name: "j", dataset: "d", baseModel: "m", createdAt: 1, totalSteps: 4, epochs: 2 });
const drawn = (epoch: number, weight: number): JobEvent => ({
  type: "webuiCell",
  time: 2,
  epoch,
  weight,
  prompt: 0,
  seed: 1,
  file: `a/${epoch}-${weight}.png`,
  infotext: "moss\nSteps: 28",
});
const preview: JobEvent = { type: "cell", time: 1, epoch: 1, weight: 0.5, prompt: 0, seed: 1, file: "cells/1.png" };
const job = [preview, { type: "webuiDrawing", time: 2, settings, total: 3 } satisfies JobEvent, drawn(0, 0), drawn(1, 1)].reduce<Job>(
  applyEvent,
  queued,
);

describe("the grid that the WebUI draws", () => {
  it("holds the WebUI's own cells, texts and size, none of the preview's", () => {
    const model = webuiGridModel(job, null);
    expect(model).toMatchObject({ prompts: settings.prompts, width: 512, height: 640, weights: [1], epochs: [1], drawn: 2 });
    expect(cellAt(model, noLora, 0, 1)?.file).toBe("a/0-0.png");
    expect(cellAt(model, { epoch: 1, weight: 0.5 }, 0, 1)).toBeUndefined();
  });

  it("is empty before the WebUI was asked", () => {
    expect(webuiGridModel(applyEvent(queued, preview), null).drawn).toBe(0);
  });

  it("is drawn again as last time", () => {
    expect(drawingSettings(job, null)).toEqual(settings);
    expect(drawingSettings(queued, null)).toBeNull();
  });
});
