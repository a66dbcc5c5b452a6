import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Tagger } from "../../protocol/autotag.js";
import type { HostFacts } from "../../protocol/host.js";
import { invokedFrom } from "../paths.js";

/** A folder in which taggers may lie, at most `depth` folders deep. */
export type TaggerPlace = { readonly folder: string; readonly place: Tagger["place"]; readonly depth: number };

type Around = {
  readonly home: string;
  /** What the WebUI tells of its folders, when there is one. */
  readonly facts: Pick<HostFacts, "dataDir" | "loraDir" | "checkpointDirs"> | undefined;
  readonly env?: NodeJS.ProcessEnv;
};

/** Folders below a WebUI's `models` that its tagger extensions use. */
const IN_MODELS = ["TaggerOnnx", "interrogators", "deepdanbooru", "torch_deepdanbooru", "tagger", "taggers", "wd14_tagger", "onnx"];
/** Extensions that keep models, or a hub's cache, in their own folder. */
const EXTENSION = /tagger|dataset-tag-editor|wd14/i;
/** cache/models--owner--name/snapshots/commit/folder/model.onnx */
const HUB_DEPTH = 5;

/** Where our own taggers lie, and those that are downloaded. */
export function taggersFolder(home: string): string {
  return join(home, "taggers");
}

/** Every folder that holds taggers on a machine like this: ours, the WebUI's, its extensions', the hub's cache and sd-scripts'. */
export async function taggerPlaces({ home, facts, env = process.env }: Around): Promise<TaggerPlace[]> {
  const webuis = webuiFolders(home, facts);
  const models = new Set([...webuis.map((folder) => join(folder, "models")), ...modelFolders(facts)]);
  const extensions = (await Promise.all(webuis.map(extensionFolders))).flat();
  const named = env.TRAIN_LORA_TAGGERS?.trim();
  const places: TaggerPlace[] = [
    { folder: taggersFolder(home), place: "home", depth: HUB_DEPTH },
    ...(named ? [{ folder: resolve(invokedFrom(), named), place: "other", depth: HUB_DEPTH } as const] : []),
    ...[...models].flatMap((folder) =>
      IN_MODELS.map((name) => ({ folder: join(folder, name), place: "webui", depth: HUB_DEPTH }) as const),
    ),
    ...extensions.map((folder) => ({ folder, place: "webui", depth: HUB_DEPTH + 2 }) as const),
    { folder: hubCache(env), place: "cache", depth: HUB_DEPTH },
    ...sdScripts(env).map((folder) => ({ folder, place: "other", depth: 3 }) as const),
  ];
  return places.filter(({ folder }) => existsSync(folder));
}

/** Where the hub's own tools keep what they fetched, by the variables that they obey. */
function hubCache(env: NodeJS.ProcessEnv): string {
  const named = env.HF_HUB_CACHE ?? env.HUGGINGFACE_HUB_CACHE;
  if (named) return resolve(named);
  if (env.HF_HOME) return join(resolve(env.HF_HOME), "hub");
  return join(env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "huggingface", "hub");
}

// A home inside a WebUI is `<data path>/train-lora`, also before the WebUI has said anything.
function webuiFolders(home: string, facts: Around["facts"]): string[] {
  const around = dirname(home);
  const found = existsSync(join(around, "models", "Stable-diffusion")) ? [around] : [];
  return [...new Set([...(facts === undefined ? [] : [facts.dataDir]), ...found])];
}

function modelFolders(facts: Around["facts"]): string[] {
  return facts === undefined ? [] : [dirname(facts.loraDir), ...facts.checkpointDirs.map((folder) => dirname(folder))];
}

async function extensionFolders(webui: string): Promise<string[]> {
  const folder = join(webui, "extensions");
  // A WebUI without extensions has no such folder.
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => EXTENSION.test(name)).map((name) => join(folder, name));
}

function sdScripts(env: NodeJS.ProcessEnv): string[] {
  const named = env.SD_SCRIPTS_DIR;
  if (!named) return [];
  const root = resolve(invokedFrom(), named);
  return [root, join(root, "sd-scripts")].map((folder) => join(folder, "wd14_tagger_model"));
}
