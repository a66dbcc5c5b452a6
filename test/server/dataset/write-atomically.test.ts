import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeAtomically, writeFailure } from "../../../server/dataset/write-atomically.js";
import { temporaryFolder } from "./sample-pictures.js";

test("a file is written whole, in a folder that is made for it, without remains", async () => {
  const root = await temporaryFolder();
  await writeAtomically(join(root, "new/a.txt"), "one");
  await writeAtomically(join(root, "new/a.txt"), "two");
  expect(await readFile(join(root, "new/a.txt"), "utf8")).toBe("two");
  expect(await readdir(join(root, "new"))).toEqual(["a.txt"]);
});

test("a full disk and a forbidden folder are told in sentences with codes, other errors as they are", () => {
  const error = (code: string) => Object.assign(new Error(code), { code });
  expect(writeFailure(error("ENOSPC"), "/x")).toMatchObject({ failure: { code: "disk_full" } });
  expect(writeFailure(error("EROFS"), "/x")).toMatchObject({ failure: { code: "bad_request", message: expect.stringContaining("/x") } });
  expect(writeFailure(error("EIO"), "/x")).toMatchObject({ code: "EIO" });
});
