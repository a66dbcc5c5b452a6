import { describe, expect, it } from "vitest";
import { applyEvent, type Job, type JobEvent, newJob } from "../../protocol/job.js";
import { freeCorner } from "../../ui/data/free-corner.js";
import { isAnyActive, type News, newLoras, newsBetween, withNews } from "../../ui/data/news.js";

const queued = newJob({ id: "j", name: "moss", dataset: "d", baseModel: "m", createdAt: 1, totalSteps: 9, epochs: 3 });
const withEvents = (job: Job, ...events: JobEvent[]) => events.reduce(applyEvent, job);
const saved = (epoch: number): JobEvent => ({
  type: "saved",
  time: epoch,
  epoch,
  step: epoch,
  file: `moss-00000${epoch}.safetensors`,
  bytes: 1,
  sshsModelHash: "a",
});
const status = (value: Job["status"]): JobEvent => ({ type: "status", time: 9, status: value });
const running = withEvents(queued, status("running"));

describe("news of a run", () => {
  it("is each saved epoch, its end and its failure", () => {
    expect(newsBetween([running], [withEvents(running, saved(1))])).toEqual([{ kind: "saved", job: "j", epoch: 1 }]);
    expect(newsBetween([running], [withEvents(running, saved(1), saved(2), status("finished"))]).map((news) => news.kind)).toEqual([
      "saved",
      "saved",
      "finished",
    ]);
    const failed: JobEvent = { type: "failed", time: 3, code: "disk_full", message: "full" };
    expect(newsBetween([running], [withEvents(running, failed)])).toEqual([{ kind: "failed", job: "j", epoch: 0 }]);
  });

  it("is not told again, nor of runs that were there before the page was", () => {
    const job = withEvents(running, saved(1), status("finished"));
    expect(newsBetween([job], [job])).toEqual([]);
    expect(newsBetween([], [job])).toEqual([]);
    expect(newLoras([], [job])).toEqual([]);
  });

  it("names each new LoRA so that its card is shown", () => {
    const first = withEvents(running, saved(1));
    expect(newLoras([first], [withEvents(first, saved(2), saved(3))])).toEqual(["moss-000002", "moss-000003"]);
  });

  it("stays at three, the newest ones, and tells of a run's epoch until there is something newer of that run", () => {
    const news = (epoch: number, job = "j"): News => ({ kind: "saved", job, epoch });
    const finished: News = { kind: "finished", job: "j", epoch: 3 };
    expect(withNews([], [news(1), news(2), news(3)], 3)).toEqual([news(3)]);
    expect(withNews([news(1), news(1, "k")], [news(2)], 3)).toEqual([news(1, "k"), news(2)]);
    expect(withNews([news(3), news(1, "k")], [finished], 3)).toEqual([news(1, "k"), finished]);
    expect(withNews([news(1, "k"), news(1, "l"), finished], [news(1, "m")], 3)).toEqual([news(1, "l"), finished, news(1, "m")]);
  });

  it("is waited for as long as a run or a drawing goes on", () => {
    expect(isAnyActive([queued])).toBe(true);
    expect(isAnyActive([withEvents(running, status("paused"))])).toBe(false);
    const ended = withEvents(running, status("finished"));
    expect(isAnyActive([ended])).toBe(false);
    const settings = {
      prompts: ["a"],
      negativePrompt: "",
      sampler: null,
      scheduler: null,
      steps: 1,
      cfgScale: 7,
      width: 64,
      height: 64,
      clipSkip: 1,
      checkpoint: null,
    };
    expect(isAnyActive([withEvents(ended, { type: "webuiDrawing", time: 1, settings, total: 2 })])).toBe(true);
  });
});

describe("the place of the toasts", () => {
  const view = { width: 1000, height: 800 };
  const size = { width: 400, height: 300 };

  it("is the bottom right, unless Generate is there", () => {
    expect(freeCorner(size, view, [{ left: 800, top: 20, right: 980, bottom: 100 }])).toBe("bottom-right");
    expect(freeCorner(size, view, [{ left: 700, top: 700, right: 990, bottom: 790 }])).toBe("bottom-left");
    expect(freeCorner(size, view, [{ left: 0, top: 700, right: 1000, bottom: 790 }])).toBe("top-left");
  });

  it("covers least where no corner is free", () => {
    const everywhere = { left: 0, top: 0, right: 1000, bottom: 520 };
    expect(freeCorner(size, view, [everywhere, { left: 500, top: 500, right: 1000, bottom: 800 }])).toBe("bottom-left");
  });
});
