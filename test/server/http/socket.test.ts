import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { ResultOf } from "../../../protocol/messages.js";
import { type MossServer, openMossServer } from "../test-server.js";

let moss: MossServer;

beforeAll(async () => {
  moss = await openMossServer();
});
afterAll(() => moss?.close());

describe("the socket", () => {
  async function talk(lines: readonly string[], wanted: number): Promise<unknown[]> {
    const socket = new WebSocket(`ws://127.0.0.1:${moss.server.port}/ws`, { headers: { authorization: `Bearer ${moss.server.secret}` } });
    const messages: { type: string }[] = [];
    await new Promise<void>((resolve) => {
      socket.on("message", (data) => {
        messages.push(JSON.parse(String(data)));
        if (messages.at(-1)?.type === "snapshot") for (const line of lines) socket.send(line);
        if (messages.length === wanted) resolve();
      });
    });
    socket.close();
    return messages;
  }

  test("says hello, then sends the snapshot", async () => {
    const [hello, snapshot] = await talk([], 2);
    expect(hello).toMatchObject({ type: "hello", protocolVersion: 1 });
    expect(snapshot).toMatchObject({
      type: "snapshot",
      snapshot: { home: moss.home.home, jobs: [], baseModels: expect.arrayContaining([expect.objectContaining({ name: "tiny" })]) },
    });
  });

  test("answers what it can't read with bad_request, under the request's id where there is one", async () => {
    const answers = await talk(
      [
        "no json",
        "[1]",
        '{"id":7,"type":"nothing"}',
        '{"id":8,"type":"pauseJob"}',
        '{"id":9,"type":"setCaption","dataset":"moss","image":1,"caption":"x"}',
      ],
      7,
    );
    expect(answers.slice(2)).toMatchObject([
      { type: "failure", id: 0, failure: { code: "bad_request" } },
      { type: "failure", id: 0, failure: { code: "bad_request" } },
      { type: "failure", id: 7, failure: { code: "bad_request" } },
      { type: "failure", id: 8, failure: { message: expect.stringContaining("job") } },
      { type: "failure", id: 9, failure: { message: expect.stringContaining("image") } },
    ]);
  });

  test("expected failures come with their code", async () => {
    const failing = [
      [{ type: "scanDataset", dataset: "none" }, "dataset_not_found"],
      [{ type: "scanDataset", dataset: "../.." }, "dataset_not_found"],
      [{ type: "pauseJob", job: "none" }, "not_found"],
      [{ type: "readLog", job: "../../server" }, "not_found"],
      [{ type: "plan", dataset: "moss", baseModel: "none", settings: {} }, "base_model_missing"],
      [{ type: "plan", dataset: "moss", baseModel: "tiny", settings: { bucketResoSteps: 7 } }, "bad_settings"],
      [{ type: "importDataset", source: join(moss.home.home, "pictures"), name: "moss" }, "dataset_exists"],
      [{ type: "importDataset", source: "/nowhere/at/all", name: "new" }, "dataset_not_found"],
      [{ type: "importDataset", source: "upload:never", name: "new" }, "bad_request"],
      [{ type: "importDataset", source: join(moss.home.home, "pictures"), name: "../out" }, "bad_request"],
      [{ type: "setCaption", dataset: "moss", image: "../../moss.server.json", caption: "x" }, "not_found"],
    ] as const;
    for (const [message, code] of failing) {
      await expect(moss.connection.request(message, ResultOf.setTriggerWord), JSON.stringify(message)).rejects.toMatchObject({
        failure: { code },
      });
    }
  });

  test("a settings file of another tool is read from its bytes", async () => {
    const content = Buffer.from("\uFEFF$dim = 16\naccelerate launch train_network.py --network_dim=$dim --mystery", "utf16le").toString(
      "base64",
    );
    const report = await moss.connection.request({ type: "importSettings", name: "train.ps1", content }, ResultOf.importSettings);
    expect(report).toMatchObject({ format: "powershell", settings: { networkDim: 16 }, unknown: [{ option: "--mystery", line: 2 }] });
    const broken = { type: "importSettings", name: "a.toml", content: Buffer.from("a = = 3").toString("base64") } as const;
    await expect(moss.connection.request(broken, ResultOf.importSettings)).rejects.toMatchObject({ failure: { code: "bad_settings" } });
  });

  test("edits, undo and a plan go through it", async () => {
    await moss.connection.request({ type: "setTriggerWord", dataset: "moss", triggerWord: "moss" }, ResultOf.setTriggerWord);
    const before = await moss.connection.request({ type: "scanDataset", dataset: "moss" }, ResultOf.scanDataset);
    const image = before.images[1]?.id ?? "";
    const { editId } = await moss.connection.request(
      { type: "setCaption", dataset: "moss", image, caption: "moss, changed" },
      ResultOf.setCaption,
    );
    const undone = await moss.connection.request({ type: "undoDataset", dataset: "moss" }, ResultOf.undoDataset);
    expect(undone.undone).toBe(editId);
    const plan = await moss.connection.request(
      { type: "plan", dataset: "moss", baseModel: "tiny", settings: { targetSteps: 20, epochs: 2 } },
      ResultOf.plan,
    );
    expect(plan).toMatchObject({ dataset: { name: "moss", triggerWord: "moss" }, settings: { epochs: 2 } });
  });
});
