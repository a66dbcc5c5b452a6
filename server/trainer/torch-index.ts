import { kindOfName } from "./torch-build.js";

/** Where torch's builds come from: a folder that holds one folder (`cu128`, `rocm6.4`, `cpu`) for each build. */
export type TorchIndex = {
  readonly root: string;
  /** The one build that the user has named; null: the machine decides. */
  readonly build: string | null;
  /** Who named it. */
  readonly from: "TRAIN_LORA_TORCH_INDEX" | "TORCH_COMMAND" | "TORCH_INDEX_URL" | "the WebUI";
};

/**
 * Reads the environment: our own variable, then those of a WebUI in its order (`TORCH_COMMAND`, `TORCH_INDEX_URL`), then what the WebUI around
 * us would take without any of them (`TRAIN_LORA_WEBUI_TORCH_INDEX`). Null: nobody names an index of builds.
 */
export function torchIndexOf(env: NodeJS.ProcessEnv): TorchIndex | null {
  const own = withoutSlash(env.TRAIN_LORA_TORCH_INDEX ?? "");
  if (own !== "") {
    const { root, last } = splitLast(own);
    return isBuild(last)
      ? { root, build: last, from: "TRAIN_LORA_TORCH_INDEX" }
      : { root: own, build: null, from: "TRAIN_LORA_TORCH_INDEX" };
  }
  const sources = [
    ["TORCH_COMMAND", indexOfCommand(env.TORCH_COMMAND ?? "")],
    ["TORCH_INDEX_URL", env.TORCH_INDEX_URL ?? ""],
    ["the WebUI", env.TRAIN_LORA_WEBUI_TORCH_INDEX ?? ""],
  ] as const;
  for (const [from, url] of sources) {
    const root = rootOf(url);
    if (root !== null) return { root, build: null, from };
  }
  return null;
}

/** An address without the user and the password in it, for the eye. */
export function withoutPassword(address: string): string {
  return address.replace(/(\b[a-zA-Z][a-zA-Z0-9+.-]*:\/\/)[^/\s'"<>]*@/g, "$1***@");
}

// `pip install torch==2.1.2 --extra-index-url URL/cu121`, `-i URL`, or the address of a wheel below such a folder.
function indexOfCommand(command: string): string {
  const option = /(?:--(?:extra-)?index-url|(?<=\s)-i)[=\s]+["']?([^\s"']+)/.exec(command)?.[1];
  return option ?? /(\S+)\/torch-[^/\s]+\.whl/.exec(command)?.[1]?.replace(/^["']/, "") ?? "";
}

// The folder above a build's. Unstable builds lie one deeper, and ours is a stable one. Any other index holds no builds by name.
function rootOf(url: string): string | null {
  const { root, last } = splitLast(withoutSlash(url));
  if (!isBuild(last) && last !== "torch") return null;
  const above = splitLast(root);
  return above.last === "nightly" || above.last === "test" ? above.root : root;
}

function splitLast(address: string): { root: string; last: string } {
  const at = Math.max(address.lastIndexOf("/"), address.lastIndexOf("\\"));
  return at < 0 ? { root: "", last: address } : { root: address.slice(0, at), last: address.slice(at + 1) };
}

function isBuild(name: string): boolean {
  return kindOfName(name) !== null || /^(cu\d{2,3}|xpu)$/.test(name);
}

function withoutSlash(address: string): string {
  return address.trim().replace(/[/\\]+$/, "");
}
