import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { FailureError } from "../../../protocol/errors.js";
import { type Task, taskSecondsLeft } from "../../../protocol/task.js";
import { openTasks } from "../../../server/tasks/tasks.js";

const listening = () => {
  const heard: Task[] = [];
  const gone: string[] = [];
  const tasks = openTasks({ onTask: (task) => heard.push(task), onGone: (id) => gone.push(id) });
  return { heard, gone, tasks };
};
/** Ends only when it is told to. */
const waiting = (_tell: unknown, signal: AbortSignal) => sleep(60_000, undefined, { signal });

describe("long work", () => {
  test("is told when it begins, goes on and has ended, with its result for whoever waits", async () => {
    const { heard, tasks } = listening();
    const { id, ended } = tasks.run("download", "moss", async (tell) => {
      tell({ total: 3, message: "a.png" });
      tell({ done: 3 });
      return "all of it";
    });
    expect(tasks.busy()).toBe(true);
    expect(await ended).toBe("all of it");
    expect(heard.map(({ state }) => state)).toEqual(["running", "done"]);
    expect(heard.at(-1)).toMatchObject({ id, kind: "download", dataset: "moss", done: 3, total: 3, message: "a.png", state: "done" });
    expect(heard.at(-1)?.endedAt).toBeGreaterThanOrEqual(heard[0]?.startedAt ?? 0);
    expect(tasks.busy()).toBe(false);
  });

  test("tells of a thousand steps in a few messages, and never forgets the last", async () => {
    const { heard, tasks } = listening();
    await tasks.run("scan", null, async (tell) => {
      for (let done = 1; done <= 1000; done += 1) {
        tell({ done });
        if (done % 100 === 0) await sleep(30);
      }
    }).ended;
    expect(heard.length).toBeLessThan(8);
    expect(heard.at(-1)?.done).toBe(1000);
  });

  test("keeps what went wrong as a fact, even when nobody waits for it", async () => {
    const { heard, tasks } = listening();
    tasks.run("autotag", "moss", () => Promise.reject(new FailureError("not_found", "There is no model.")));
    await sleep(5);
    expect(heard.at(-1)).toMatchObject({ state: "failed", failure: { code: "not_found", message: "There is no model." } });
  });

  test("stops when it is asked to, and can then be taken off the list", async () => {
    const { heard, gone, tasks } = listening();
    const { id, ended } = tasks.run("download", null, waiting);
    expect(() => tasks.dismiss(id)).toThrow("still running");
    tasks.stop(id);
    await ended.catch(() => undefined);
    expect(heard.at(-1)?.state).toBe("stopped");
    tasks.dismiss(id);
    expect(gone).toEqual([id]);
    expect(tasks.all()).toEqual([]);
    expect(() => tasks.stop(id)).toThrow(FailureError);
  });

  test("ends with the server", async () => {
    const { tasks } = listening();
    let cleaned = false;
    tasks.run("download", null, async (_tell, signal) => {
      await waiting(_tell, signal).catch(() => undefined);
      await sleep(20);
      cleaned = true;
    });
    await tasks.close();
    expect(cleaned).toBe(true);
    expect(tasks.all()[0]?.state).toBe("stopped");
  });

  test("leaves only the last ones on the list, but all that run", async () => {
    const { tasks } = listening();
    const running = tasks.run("download", null, waiting);
    for (let index = 0; index < 14; index += 1) await tasks.run("edit", null, async () => index).ended;
    expect(tasks.all()).toHaveLength(11);
    expect(tasks.all()[0]?.id).toBe(running.id);
    await tasks.close();
  });

  test("says how long it will still take once its pace is known", () => {
    const task: Task = {
      ...{ id: "t", kind: "download", dataset: null, done: 10, total: 40, state: "running", message: "" },
      ...{ startedAt: 0, endedAt: null },
    };
    expect(taskSecondsLeft(task, 10_000)).toBe(30);
    expect(taskSecondsLeft({ ...task, done: 0 }, 10_000)).toBeNull();
    expect(taskSecondsLeft(task, 1000)).toBeNull();
    expect(taskSecondsLeft({ ...task, state: "stopped" }, 10_000)).toBeNull();
  });
});
