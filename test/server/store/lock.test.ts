import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { holdLock, waitForLock } from "../../../server/store/sqlite.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "train-lora-lock-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a lock has one holder and is free again after its release", () => {
  const file = join(folder, "a", "lock");
  const release = holdLock(file);
  expect(release).not.toBeNull();
  expect(holdLock(file)).toBeNull();
  release?.();
  const again = holdLock(file);
  expect(again).not.toBeNull();
  again?.();
});

test("a killed holder leaves nothing stale behind", async () => {
  const file = join(folder, "killed");
  const program = join(folder, "hold.cjs");
  const libsql = createRequire(import.meta.url).resolve("libsql");
  await writeFile(
    program,
    `const db = new (require(${JSON.stringify(libsql)}))(process.argv[2]); db.exec("BEGIN EXCLUSIVE"); console.log("held"); setInterval(() => {}, 1000);`,
  );
  const holder = spawn(process.execPath, [program, file], { stdio: ["ignore", "pipe", "inherit"] });
  await once(holder.stdout, "data");
  expect(holdLock(file)).toBeNull();
  holder.kill("SIGKILL");
  await once(holder, "close");
  const release = holdLock(file);
  expect(release).not.toBeNull();
  release?.();
});

test("who waits gets the lock when it is released, and can give up", async () => {
  const file = join(folder, "waited");
  const release = holdLock(file);
  let waits = 0;
  const next = waitForLock(file, () => {
    waits += 1;
  });
  await expect(waitForLock(file, undefined, AbortSignal.timeout(150))).rejects.toThrow();
  release?.();
  (await next)();
  expect(waits).toBe(1);
});
