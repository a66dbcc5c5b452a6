import { describe, expect, it } from "vitest";
import type { Dataset, Problem } from "../../protocol/dataset.js";
import { fullAccess } from "../../protocol/host.js";
import { applyEvent, type Job, newJob } from "../../protocol/job.js";
import { railOf, railPlace } from "../../ui/data/rail.js";
import { runRoute } from "../../ui/data/route.js";

const image = {
  subset: ".",
  width: 8,
  height: 8,
  format: "png",
  bytes: 9,
  transparent: false,
  phash: null,
  caption: "a",
  tags: ["a"],
  problems: [],
};
const problem = (code: Problem["code"], images: string[], fixable = true): Problem => ({
  code,
  severity: "warning",
  message: "",
  images,
  fixable,
});
const dataset = (problems: Problem[], triggerWord = "mossling"): Dataset => ({
  name: "d",
  root: "/d",
  triggerWord,
  subsets: [],
  images: [
    { ...image, id: "a.png" },
    { ...image, id: "b.png" },
  ],
  problems,
});
const job = (id: string, createdAt: number): Job =>
  newJob({ id, name: id, dataset: "d", baseModel: "m", createdAt, totalSteps: 10, epochs: 2 });
const at = (step: "pictures" | "tags" | "plan") => ({ dataset: "d", step, job: null });

describe("the rail of a data set", () => {
  it("counts each picture once and leads to the tags that wait", () => {
    const rail = railOf(at("pictures"), dataset([problem("junk_tags", ["a.png"]), problem("caption_bom", ["a.png", "b.png"])]), []);
    expect(rail.steps.map((step) => step.state)).toEqual([
      { kind: "pictures", count: 2 },
      { kind: "toFix", count: 2 },
      { kind: "open" },
      { kind: "waiting" },
      { kind: "waiting" },
    ]);
    expect(rail.next).toMatchObject({ id: "tags", attention: true });
  });

  it("leads past steps that are done", () => {
    expect(railOf(at("pictures"), dataset([]), []).next).toMatchObject({ id: "plan", attention: false });
  });

  it("does not hold anybody up by what can't be fixed", () => {
    const rail = railOf(at("pictures"), dataset([problem("no_caption", ["a.png"], false)]), []);
    expect(rail.steps[1]).toMatchObject({ state: { kind: "toFix", count: 1 }, done: true });
    expect(rail.next).toMatchObject({ id: "plan" });
  });

  it("asks for the trigger word", () => {
    expect(railOf(at("pictures"), dataset([], ""), []).steps[1]?.state).toEqual({ kind: "triggerMissing" });
  });

  it("leads nowhere without pictures", () => {
    expect(railOf(at("pictures"), { ...dataset([]), images: [] }, []).next).toBeNull();
    expect(railOf(at("pictures"), null, []).next).toBeNull();
  });

  it("shows the newest run, or the one in sight", () => {
    const old = applyEvent(job("old", 1), { type: "status", time: 2, status: "failed" });
    const fresh = applyEvent(
      applyEvent(job("new", 5), { type: "started", time: 6, pid: 1, device: "cpu", precision: "no", step: 0, totalSteps: 10, epochs: 2 }),
      {
        type: "step",
        time: 7,
        step: 5,
        epoch: 1,
        loss: 0.1,
        learningRate: 1e-3,
        secondsPerStep: 1,
      },
    );
    expect(railOf(at("plan"), dataset([]), [old, fresh]).steps[3]?.state).toEqual({ kind: "job", status: "running", percent: 50 });
    const snapshot = {
      home: "",
      loraDir: "",
      baseModels: [],
      datasets: [{ name: "d", images: 2, problems: 0, triggerWord: "" }],
      jobs: [old, fresh],
      loras: [],
      host: null,
      access: fullAccess,
      tasks: [],
    };
    const place = railPlace(runRoute("old"), snapshot);
    expect(place && railOf(place, dataset([]), [old, fresh]).steps[3]?.state).toMatchObject({ kind: "job", status: "failed" });
    expect(railPlace(runRoute("old"), { ...snapshot, datasets: [] })).toBeNull();
  });
});
