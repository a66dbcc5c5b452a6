import type { BaseModel } from "../../protocol/plan.js";

/** A kind of base model as people call it. */
export function modelKindName({ kind, prediction }: Pick<BaseModel, "kind" | "prediction">): string {
  const name = { sd1: "SD 1", sd2: "SD 2", sdxl: "SDXL" }[kind];
  return prediction === "v" ? `${name} v-pred` : name;
}
