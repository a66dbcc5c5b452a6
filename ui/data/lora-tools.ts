import type { LoraTool, LoraToolResult } from "../../protocol/lora-tools.js";
import { ResultOf } from "../../protocol/messages.js";
import type { Session } from "./session.js";

export type ToolName = LoraTool["tool"];

/** In the order in which they are offered; those that only look come first. */
export const toolNames: readonly ToolName[] = ["verify", "inspect", "compare", "resize", "blend", "merge", "convert"];

/** Tools that write a file. */
export function writesFile(tool: ToolName): boolean {
  return !["verify", "inspect", "compare"].includes(tool);
}

export function runLoraTool(session: Session, request: LoraTool): Promise<LoraToolResult> {
  return session.connection.request(ResultOf.loraTool, { type: "loraTool", request });
}

/** A new file's name from an old one's: `moss.safetensors` and `small` give `moss-small`. */
export function newName(file: string, end: string): string {
  const name = file.split("/").at(-1) ?? file;
  return `${name.replace(/\.safetensors$/, "")}-${end}`;
}
