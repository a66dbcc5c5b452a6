import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LoraTool } from "../../../protocol/lora-tools.js";
import { ResultOf } from "../../../protocol/messages.js";
import { type Connection, connect } from "../../../server/demo/connect.js";
import type { ServerFile } from "../../../server/http/running-server.js";
import type { RunningServer } from "../../../server/start.js";
import { safetensors } from "../library/write-files.js";
import { makeTempHome, type TempHome } from "../temp-home.js";
import { startTestServer } from "../test-server.js";

let home: TempHome;
let running: RunningServer;
let server: ServerFile;
let page: Connection;

beforeAll(async () => {
  home = await makeTempHome();
  await mkdir(join(home.loraDir, "mine"), { recursive: true });
  for (const file of ["moss.safetensors", "mine/ink.safetensors"])
    await writeFile(join(home.loraDir, file), safetensors({ "lora_unet_a.lora_down.weight": { shape: [1, 2] } }));
  ({ running, server } = await startTestServer(home));
  page = await connect(server);
});
afterAll(async () => {
  page?.close();
  await running?.close();
  await home.remove();
});

const ask = (request: LoraTool) => page.request({ type: "loraTool", request }, ResultOf.loraTool);

test("files are names below the LoRA folder, and answers name no folder", async () => {
  expect(await ask({ tool: "verify", file: "mine/ink.safetensors", base: "tiny" })).toMatchObject({
    tool: "verify",
    file: "ink.safetensors",
    base: "tiny.safetensors",
    complete: true,
  });
});

test("a new file lies beside the first one and in the list of the next page", async () => {
  const result = await ask({ tool: "merge", files: ["mine/ink.safetensors", "moss.safetensors"], weights: [1, 0.5], out: "both" });
  expect(result).toMatchObject({ tool: "merge", file: "both.safetensors" });
  expect(existsSync(join(home.loraDir, "mine", "both.safetensors"))).toBe(true);
  const next = await connect(server);
  expect(next.snapshot.loras.map(({ file }) => file)).toContain("mine/both.safetensors");
  next.close();
});

const resize = { tool: "resize", file: "moss.safetensors", dim: 4, method: "fixed", target: 0 } as const;

test.each<[LoraTool, string]>([
  [{ tool: "verify", file: "../train-lora.sqlite" }, "not_found"],
  [{ tool: "verify", file: "none.safetensors" }, "not_found"],
  [{ tool: "verify", file: "moss.safetensors", base: "/etc/passwd" }, "base_model_missing"],
  [{ ...resize, out: "../x" }, "bad_request"],
  [{ ...resize, out: "a:b" }, "bad_request"],
  [{ ...resize, out: "moss" }, "bad_request"],
  [{ ...resize, out: "x", dim: 0 }, "bad_request"],
])("%j is refused with %s", async (request, code) => {
  await expect(ask(request)).rejects.toMatchObject({ failure: { code } });
});
