import { expect, test } from "vitest";
import { JobStatus } from "../../../protocol/job.js";
import { afterRestart, reactionTo } from "../../../server/queue/transitions.js";

const paused = { status: "paused" };
const queued = { status: "queued" };
const stopped = { status: "stopped" };

test("every status has its reaction to every command", () => {
  const table = Object.fromEntries(
    JobStatus.options.map((status) => [status, (["pause", "resume", "stop"] as const).map((command) => reactionTo(command, status))]),
  );
  expect(table).toEqual({
    queued: [paused, "nothing", stopped],
    preparing: ["ask", "nothing", "ask"],
    running: ["ask", "nothing", "ask"],
    pausing: ["nothing", "refuse", "ask"],
    paused: ["nothing", queued, stopped],
    stopping: ["refuse", "refuse", "ask"],
    stopped: ["refuse", queued, "nothing"],
    finished: ["refuse", "refuse", "refuse"],
    failed: ["refuse", queued, stopped],
  });
});

test("after a kill work goes on and wishes are granted", () => {
  expect(Object.fromEntries(JobStatus.options.map((status) => [status, afterRestart(status)]))).toEqual({
    queued: "queued",
    preparing: "queued",
    running: "queued",
    pausing: "paused",
    paused: "paused",
    stopping: "stopped",
    stopped: "stopped",
    finished: "finished",
    failed: "failed",
  });
});
