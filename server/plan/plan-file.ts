import { readFile } from "node:fs/promises";
import { z } from "zod";
import { FailureError } from "../../protocol/errors.js";
import { PLAN_VERSION, Plan } from "../../protocol/plan.js";
import { writeAtomically } from "../dataset/write-atomically.js";
import { expectation, shown, valueAt } from "./wrong-setting.js";

/** Reads a frozen plan. Throws `plan_version` for another version's plan, `bad_plan` for anything else that is no plan, naming the field. */
export async function readPlanFile(path: string): Promise<Plan> {
  const json = parseJson(await readText(path), path);
  const version = z.looseObject({ planVersion: z.unknown() }).safeParse(json);
  if (!version.success || version.data.planVersion === undefined) {
    throw new FailureError("bad_plan", `Expected a plan in ${path}, but it has no planVersion; make it with "train-lora plan".`);
  }
  if (version.data.planVersion !== PLAN_VERSION) {
    throw new FailureError(
      "plan_version",
      `Expected a plan of version ${PLAN_VERSION}, but ${path} is of version ${shown(version.data.planVersion)}; make the plan again with this program.`,
    );
  }
  const parsed = Plan.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue === undefined ? "the plan" : issue.path.map(String).join(".") || "the plan";
  const wanted = issue === undefined ? "a plan's" : expectation(issue);
  throw new FailureError(
    "bad_plan",
    `Expected ${field} in ${path} to be ${wanted}, but got ${shown(valueAt(json, issue?.path ?? []))}; make the plan again instead of editing it.`,
  );
}

/** Writes the plan whole or not at all. Throws `disk_full`. */
export async function writePlanFile(path: string, plan: Plan): Promise<void> {
  await writeAtomically(path, `${JSON.stringify(plan, null, 2)}\n`);
}

async function readText(path: string): Promise<string> {
  return await readFile(path, "utf8").catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new FailureError("bad_plan", `Expected a plan file at ${path}, but it can't be read (${code}); check the path.`);
  });
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new FailureError(
      "bad_plan",
      `Expected JSON in ${path}, but it is broken (${error instanceof Error ? error.message : String(error)}); make the plan again.`,
    );
  }
}
