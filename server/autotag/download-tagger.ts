import { join } from "node:path";
import type { HomePaths } from "../paths.js";
import type { TaskProgress } from "../tasks/tasks.js";
import { filesOf } from "./offered-taggers.js";
import { runTagger } from "./run-tagger.js";
import { taggersFolder } from "./tagger-places.js";

export type DownloadRequest = {
  readonly paths: HomePaths;
  readonly repository: string;
  readonly python: string;
  readonly tell?: (progress: TaskProgress) => void;
  readonly signal?: AbortSignal | undefined;
};

/** The hub that taggers come from; the variable is the one that the hub's own tools obey. */
export function hubEndpoint(env: NodeJS.ProcessEnv = process.env): string {
  const named = env.HF_ENDPOINT?.trim().replace(/\/+$/, "");
  return named ? named : "https://huggingface.co";
}

/**
 * Fetches a tagger into `<home>/taggers/<name>` and returns that folder. Goes on where an earlier try was cut off, and keeps nothing
 * whose hash is not the hub's. Throws `download_failed`, `disk_full` or `bad_request`.
 */
export async function downloadTagger({ paths, repository, python, tell = () => undefined, signal }: DownloadRequest): Promise<string> {
  const wanted = filesOf(repository);
  const folder = join(taggersFolder(paths.home), wanted.name);
  await runTagger({
    python,
    request: { task: "download", endpoint: hubEndpoint(), repository: wanted.repository, files: wanted.files, folder },
    onEvent: (event) => {
      if (event.type === "downloading") tell({ done: event.done, total: event.total, message: `${wanted.name}: ${event.file}` });
    },
    signal,
  });
  return folder;
}
