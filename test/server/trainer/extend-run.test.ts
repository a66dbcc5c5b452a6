import { join } from "node:path";
import { expect, test } from "vitest";
import { extendedNames } from "../../../server/trainer/extend-run.js";

const run = { outputName: "zorp", loraDir: "/loras", files: ["zorp-000001.safetensors", "zorp.safetensors"] };

test("the last epoch of a longer run goes without a number, and the one that would have done so gets one", () => {
  expect(extendedNames(run, 2, () => false)).toEqual([
    "zorp-000001.safetensors",
    "zorp-000002.safetensors",
    "zorp-000003.safetensors",
    "zorp.safetensors",
  ]);
});

test("a last epoch that is saved keeps its name, and all that follow have numbers", () => {
  const isThere = (path: string) => path === join("/loras", "zorp.safetensors");
  const once = extendedNames(run, 1, isThere);
  expect(once).toEqual(["zorp-000001.safetensors", "zorp.safetensors", "zorp-000003.safetensors"]);
  expect(extendedNames({ ...run, files: once }, 1, isThere)).toEqual([...once, "zorp-000004.safetensors"]);
});
