import { ResultOf } from "../../protocol/messages.js";
import type { Task } from "../../protocol/task.js";
import type { Session } from "./session.js";

/** The tasks with this one as it is now; a new one comes last. */
export function withTask(tasks: readonly Task[], task: Task): Task[] {
  const known = tasks.some(({ id }) => id === task.id);
  return known ? tasks.map((other) => (other.id === task.id ? task : other)) : [...tasks, task];
}

export function withoutTask(tasks: readonly Task[], id: string): Task[] {
  return tasks.filter((task) => task.id !== id);
}

/** The tasks that a person should see: those that run, and those whose end asks for a look. */
export function shownTasks(tasks: readonly Task[]): Task[] {
  return tasks.filter(({ state, message }) => state === "running" || state === "failed" || message !== "");
}

export async function stopTask(session: Session, task: string): Promise<void> {
  await session.connection.request(ResultOf.stopTask, { type: "stopTask", task });
}

export async function dismissTask(session: Session, task: string): Promise<void> {
  await session.connection.request(ResultOf.dismissTask, { type: "dismissTask", task });
}
