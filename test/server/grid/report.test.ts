import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Grid } from "../../../protocol/grid.js";
import { type Job, newJob } from "../../../protocol/job.js";
import type { Plan } from "../../../protocol/plan.js";
import { Settings } from "../../../protocol/settings.js";
import { html, raw } from "../../../server/grid/html.js";
import { writeReport } from "../../../server/grid/report.js";
import { makeVerdict } from "../../../server/grid/verdict.js";
import { safetensors } from "../library/write-files.js";
import { drawing, writePng } from "./draw.js";

const nasty = `<script>alert("1")</script>`;
let folder = "";
let page = "";
let job: Job;
let plan: Plan;
let grid: Grid;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "report-"));
  await mkdir(join(folder, "grid", "cells"), { recursive: true });
  await mkdir(join(folder, "loras"));
  await writeFile(
    join(folder, "loras", "m-000001.safetensors"),
    safetensors({ a: { shape: [1] } }, { sshs_model_hash: "feedc0ffee12".padEnd(64, "0") }),
  );
  await writePng(drawing(1), join(folder, "grid", "sheet.png"));
  await writePng(drawing(2), join(folder, "grid", "cells", "base.png"));
  await writePng(drawing(3), join(folder, "grid", "cells", "e2.png"));
  const settings = Settings.parse({ grid: { weights: [0.5, 1], prompts: [`mossling & ${nasty}`] } });
  const evaluations = [0.2, 0.15, 0.12].map((loss, epoch) => ({
    epoch,
    trainLoss: loss,
    heldOutLoss: loss,
    drift: epoch / 100,
    atWeights: [],
  }));
  const cells: Grid["cells"] = [
    { epoch: 0, weight: 0, prompt: 0, seed: 1, file: "cells/base.png", flags: [] },
    ...[0.5, 1].map((weight) => ({ epoch: 2, weight, prompt: 0, seed: 1, file: "cells/e2.png", flags: [] })),
  ];
  const verdict = makeVerdict({ evaluations, judgedCells: cells, weights: [0.5, 1], triggerPromptIndexes: [0] });
  job = {
    ...newJob({ id: "job-1", name: `lantern ${nasty}`, dataset: "lantern", baseModel: "pocket", createdAt: 0, totalSteps: 200, epochs: 2 }),
    status: "finished",
    step: 200,
    endedAt: 1_700_000_000_000,
    evaluations,
    saves: [
      { epoch: 1, step: 100, file: "m-000001.safetensors", bytes: 1_250_000 },
      { epoch: 2, step: 200, file: "m.safetensors", bytes: 1_250_000 },
    ],
    warnings: [`careful ${nasty}`],
    trainSeconds: 83,
    gridSeconds: 9,
  };
  plan = {
    planVersion: 1,
    id: "0123456789abcdef",
    createdAt: 0,
    baseModel: { name: "pocket", path: "/x/pocket.safetensors", kind: "sd1", resolution: 128, bytes: 1 },
    dataset: { name: "lantern", root: "/x", triggerWord: "mossling" },
    settings: {
      ...settings,
      outputName: "m",
      textEncoderLr: 1e-3,
      clipSkip: 1,
      resolution: { width: 128, height: 128 },
      convDim: 0,
      minBucketReso: 64,
      maxBucketReso: 256,
      bucketResoSteps: 64,
      mixedPrecision: "no",
      keepTokens: 1,
      maxTokenLength: 75,
      heldOutImages: 0,
    },
    images: [],
    buckets: [],
    stepsPerEpoch: 100,
    totalSteps: 200,
    samplesPerEpoch: 100,
    exposuresPerImage: 62.4,
    maxCaptionTokens: 20,
    files: ["m-000001.safetensors", "m.safetensors"],
    diskBytes: 1,
    genericPrompts: ["a ball"],
    warnings: [{ code: "few_images", message: "Only 12 pictures.", images: [] }],
  };
  grid = {
    gridVersion: 1,
    baseModel: "pocket",
    width: 128,
    height: 128,
    clipSkip: 1,
    settings: settings.grid,
    rows: [],
    cells,
    sheet: "sheet.png",
    verdict,
  };
  const file = join(folder, "report.html");
  await writeReport({ job, plan, grid, gridDir: join(folder, "grid"), loraDir: join(folder, "loras"), file });
  page = await readFile(file, "utf8");
});

describe("the report", () => {
  it("says the verdict, the figures and the files with their hashes", () => {
    expect(page).toContain("looks strongest by these measures");
    expect(page).toMatch(/In the prompt: <code>&lt;lora:m(-000001)?:(0\.5|1)&gt; mossling/);
    expect(page).toContain("62 times");
    expect(page).toContain("m-000001.safetensors");
    expect(page).toContain("feedc0ffee12");
    expect(page).toContain("Only 12 pictures.");
    expect(page).toContain("1 min 23 s");
  });

  it("needs no other file, no script and no network", () => {
    expect(page.match(/<img /g)).toHaveLength(3);
    expect([...page.matchAll(/(?:src|href)="([^"]{0,16})/g)].every(([, target]) => target?.startsWith("data:image/webp"))).toBe(true);
    expect(page).not.toMatch(/<script|<link|@import|https?:/);
    expect(page).toContain("prefers-color-scheme: dark");
  });

  it("escapes whatever names, prompts and messages hold", () => {
    expect(page).not.toContain(nasty);
    expect(page).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;");
    expect(page).toContain("mossling &amp; &lt;script");
  });

  it("of a run without a grid, or that failed before its first epoch, is written all the same", async () => {
    const file = join(folder, "short.html");
    await writeReport({
      job: { ...job, status: "failed", failure: { code: "nan_loss", message: "The loss is NaN." }, evaluations: [], saves: [] },
      plan,
      grid: null,
      gridDir: folder,
      file,
    });
    const short = await readFile(file, "utf8");
    expect(short).toContain("There is no verdict");
    expect(short).toContain("The loss is NaN.");
    await writeReport({ job, plan, grid: { ...grid, sheet: "gone.png" }, gridDir: join(folder, "grid"), file });
    expect(await readFile(file, "utf8")).not.toContain('class="sheet"');
  });
});

describe("html", () => {
  it("escapes texts, joins lists and leaves markup of its own alone", () => {
    expect(html`<i>${"a<b>'\"&"}</i>${[html`<b>${1}</b>`, "x"]}${null}${raw("<u>")}`.markup).toBe(
      "<i>a&lt;b&gt;&#39;&quot;&amp;</i><b>1</b>x<u>",
    );
  });
});
