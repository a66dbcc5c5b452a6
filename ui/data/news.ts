import { hasEnded, type Job } from "../../protocol/job.js";

/** Something about a run that the person wants to hear of, wherever in the WebUI they are. */
export type News = { kind: "saved" | "finished" | "failed"; job: string; epoch: number };

/** What has happened between two looks at the jobs, oldest first. A job seen for the first time has no news yet. */
export function newsBetween(before: readonly Job[], after: readonly Job[]): News[] {
  return after.flatMap((job) => {
    const known = before.find((one) => one.id === job.id);
    return known ? newsOf(known, job) : [];
  });
}

/** The names, without extension, of the LoRAs that were saved between two looks. */
export function newLoras(before: readonly Job[], after: readonly Job[]): string[] {
  const known = new Set(before.flatMap((job) => job.saves.map((save) => save.file)));
  const saved = after.filter((job) => before.some((one) => one.id === job.id)).flatMap((job) => job.saves.map((save) => save.file));
  return saved.filter((file) => !known.has(file)).map((file) => file.replace(/\.safetensors$/, ""));
}

/** The list of what is shown with more news on top of it: at most `most`, and an epoch only until its run has newer ones. */
export function withNews(shown: readonly News[], more: readonly News[], most: number): News[] {
  const all = [...shown, ...more];
  return all.filter((one, index) => one.kind !== "saved" || !all.slice(index + 1).some(({ job }) => job === one.job)).slice(-most);
}

/** True while something may still happen to a run by itself. */
export function isAnyActive(jobs: readonly Job[]): boolean {
  return jobs.some((job) => (!hasEnded(job) && job.status !== "paused") || job.webui?.drawing);
}

function newsOf(known: Job, job: Job): News[] {
  const epochs = job.saves.map((save) => save.epoch).filter((epoch) => !known.saves.some((save) => save.epoch === epoch));
  const saved = epochs.sort((a, b) => a - b).map((epoch): News => ({ kind: "saved", job: job.id, epoch }));
  const hasChanged = job.status !== known.status && (job.status === "finished" || job.status === "failed");
  return hasChanged ? [...saved, { kind: job.status === "failed" ? "failed" : "finished", job: job.id, epoch: job.epoch }] : saved;
}
