import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import type { HostRequest } from "../../protocol/host.js";
import type { Job } from "../../protocol/job.js";
import type { HomePaths } from "../paths.js";
import { readPlanFile } from "../plan/plan-file.js";
import { failureOf } from "../trainer/failure-of.js";
import { readRun, runDirOf } from "../trainer/run.js";
import type { Webui } from "./webui.js";

type WebuiRuns = Extract<HostRequest, { type: "setRuns" }>["runs"];

/** Tells the WebUI of finished epochs: its list of LoRAs, and what its axes offer. What fails is a line in the run's log. */
export type LoraNews = { epochSaved(job: string, file: string): void };

export function openLoraNews({ paths, webui, jobs }: { paths: HomePaths; webui: Webui; jobs: () => readonly Job[] }): LoraNews {
  // Read once a run: a run's plan and place never change.
  const known = new Map<string, { triggerWord: string; loraDir: string } | null>();

  async function factsOf(id: string) {
    const kept = known.get(id);
    if (kept !== undefined) return kept;
    const runDir = runDirOf(paths, id);
    const facts = await Promise.all([readPlanFile(join(runDir, "plan.json")), readRun(runDir)]).then(
      ([plan, run]) => ({ triggerWord: plan.dataset.triggerWord, loraDir: run.loraDir }),
      // A run whose folder was removed has nothing that an axis could offer.
      () => null,
    );
    known.set(id, facts);
    return facts;
  }

  async function webuiRuns(): Promise<WebuiRuns> {
    const loraDir = webui.state()?.facts.loraDir;
    const runs: WebuiRuns = [];
    for (const { id, name, saves } of jobs()) {
      const facts = saves.length > 0 ? await factsOf(id) : null;
      if (facts === null || facts.loraDir !== loraDir) continue;
      runs.push({ job: id, name, triggerWord: facts.triggerWord, saves: saves.map(({ epoch, file }) => ({ epoch, name: stemOf(file) })) });
    }
    return runs;
  }

  async function tellRuns(): Promise<void> {
    const runs = await webuiRuns();
    await webui.link()?.request("setRuns", { runs });
  }

  async function tellOfEpoch(job: string, file: string): Promise<void> {
    const line = (text: string) => appendFile(join(runDirOf(paths, job), "trainer.log"), `warning: ${text}\n`).catch(() => undefined);
    try {
      const told = tellRuns();
      const refreshed = await webui.link()?.request("refreshLoras", { names: [stemOf(file)] });
      await told;
      if (refreshed?.missing.length)
        await line(`the WebUI does not list ${refreshed.missing.join(", ")}; is its Lora extension switched on?`);
    } catch (error) {
      await line(`the WebUI was not told of ${file}: ${failureOf(error).message}`);
    }
  }

  webui.listen((event) => {
    // Without its axes a WebUI is as good as before; the next epoch tells it again.
    if (event.type === "connected") void tellRuns().catch(() => undefined);
  });
  return {
    epochSaved(job, file) {
      if (webui.link() !== null) void tellOfEpoch(job, file);
    },
  };
}

function stemOf(file: string): string {
  return file.replace(/\.safetensors$/, "");
}
