import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { trainerFolder } from "../../../server/trainer/venv.js";

const folder = join(trainerFolder(), "tagger-requirements");

/** Every pin of a requirements file and of those that it includes. */
function pins(file: string): string[] {
  return readFileSync(join(folder, file), "utf8")
    .split("\n")
    .flatMap((line) => {
      const included = /^-r (\S+)/.exec(line)?.[1];
      if (included !== undefined) return pins(included);
      return /^[\w-]+==[\w.]+/.exec(line)?.slice(0, 1) ?? [];
    });
}

test.each(["cpu", "cuda12", "cuda13", "directml"])("onnxruntime for %s leaves the trainer's packages as they are", (build) => {
  const trainer = new Map(
    readFileSync(join(trainerFolder(), "requirements.txt"), "utf8")
      .split("\n")
      .flatMap((line) => /^([\w-]+)==([\w.]+)/.exec(line)?.slice(1, 3) ?? [])
      .flatMap((_, at, all) => (at % 2 === 0 ? [[all[at] ?? "", all[at + 1] ?? ""] as const] : [])),
  );
  const found = pins(`${build}.txt`).map((pin) => pin.split("=="));
  expect(found.filter(([name]) => name?.startsWith("onnxruntime"))).toHaveLength(1);
  expect(found.map(([name]) => name)).not.toContain("torch");
  for (const [name = "", version] of found) if (trainer.has(name)) expect([name, version]).toEqual([name, trainer.get(name)]);
  expect(readFileSync(join(folder, "shared.txt"), "utf8")).toContain("-c ../requirements.txt");
});

test("there is a file for every build that is offered, and no other", () => {
  expect(readdirSync(folder).toSorted()).toEqual(["cpu.txt", "cuda12.txt", "cuda13.txt", "directml.txt", "logs.txt", "shared.txt"]);
});
