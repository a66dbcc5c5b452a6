import { basename, dirname, join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { LoraTool, LoraToolResult } from "../../protocol/lora-tools.js";
import { runLoraTool } from "../lora-tools/run-lora-tool.js";
import type { State } from "../state.js";
import type { Handlers } from "./handlers.js";
import { fileBelow, isPlainSegment } from "./safe-path.js";

/** LoRA tools over the LoRA folder: names become paths below it, and answers name no folder. */
export function loraToolHandlers(state: State): Pick<Handlers, "loraTool"> {
  return {
    async loraTool({ request }) {
      const result = await runLoraTool(state.paths, await located(state, request));
      if (!("note" in result)) return named(result);
      void state.tellLoras();
      // A WebUI that is not there, or does not answer, finds the file at its next refresh.
      void state.webui
        .link()
        ?.request("refreshLoras", { names: [basename(result.file, ".safetensors")] })
        .catch(() => undefined);
      return named(result);
    },
  };
}

async function located(state: State, request: LoraTool): Promise<LoraTool> {
  const path = (file: string) => fileBelow(state.loraDir, file.split("/"));
  const beside = (file: string, out: string) => ({ out: join(dirname(path(file)), checkedName(out)) });
  switch (request.tool) {
    case "inspect":
      return { ...request, file: path(request.file) };
    case "resize":
    case "blend":
    case "convert":
      return { ...request, file: path(request.file), ...beside(request.file, request.out) };
    case "merge":
      return { ...request, files: request.files.map(path), ...beside(request.files[0] ?? "", request.out) };
    case "compare":
      return { ...request, first: path(request.first), second: path(request.second) };
    case "verify": {
      const { base, ...rest } = request;
      return { ...rest, file: path(request.file), ...(base !== undefined && { base: await basePath(state, base) }) };
    }
    default: {
      const unknownTool: never = request;
      return unknownTool;
    }
  }
}

function checkedName(name: string): string {
  const file = name.endsWith(".safetensors") ? name : `${name}.safetensors`;
  // What a prompt's tag or the values of an axis would take for something else has no place in a LoRA's name.
  if (isPlainSegment(file) && !/[<>:"|?*,=]/.test(file)) return file;
  throw new FailureError("bad_request", `Expected a plain file name for the new LoRA, but got "${name}"; choose another name.`);
}

async function basePath(state: State, name: string): Promise<string> {
  const model = (await state.baseModels()).find((one) => one.path === name || one.name === name);
  if (model) return model.path;
  throw new FailureError("base_model_missing", `There is no base model "${name}"; choose one of the list.`);
}

/** The result with file names alone. */
function named(result: LoraToolResult): LoraToolResult {
  if (result.tool === "compare") return { ...result, files: result.files.map((file) => basename(file)) };
  if (result.tool === "verify")
    return { ...result, file: basename(result.file), base: result.base === null ? null : basename(result.base) };
  return { ...result, file: basename(result.file) };
}
