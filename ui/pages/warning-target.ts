import type { PlanWarning } from "../../protocol/plan.js";
import type { SettingKey } from "../data/plan-draft.js";
import { datasetRoute, type Route } from "../data/route.js";

export type WarningTarget = { kind: "route"; route: Route } | { kind: "setting"; key: SettingKey };

/** Where the cause of a plan's warning lies: a setting on the page, or a step of the data set. */
export function warningTarget({ code, images }: PlanWarning, dataset: string): WarningTarget {
  const text = images.length === 1 ? (images[0] ?? "") : "";
  switch (code) {
    case "crop_loss":
    case "few_images":
      return { kind: "route", route: datasetRoute(dataset, "pictures", { text }) };
    case "open_problems":
      return { kind: "route", route: datasetRoute(dataset, "pictures") };
    case "caption_missing":
    case "trigger_missing":
      return { kind: "route", route: datasetRoute(dataset, "tags", { text }) };
    case "caption_cut":
      return { kind: "setting", key: "maxTokenLength" };
    case "steps_off_target":
      return { kind: "setting", key: "targetSteps" };
    case "bucket_fragments":
      return { kind: "setting", key: "batchSize" };
    case "upscaled":
      return { kind: "setting", key: "bucketNoUpscale" };
    case "no_held_out":
      return { kind: "setting", key: "heldOutImages" };
    case "high_learning_rate":
    case "low_learning_rate":
      return { kind: "setting", key: "unetLr" };
    case "network_unsupported":
    case "network_settings_unused":
      return { kind: "setting", key: "networkType" };
    case "engine_limits":
      return { kind: "setting", key: "engine" };
    case "unknown_settings":
      return { kind: "setting", key: "outputName" };
    default: {
      const unknownCode: never = code;
      return unknownCode;
    }
  }
}
