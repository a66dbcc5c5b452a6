import type { State } from "../state.js";
import type { Handlers } from "./handlers.js";

/** What is asked of long work that goes on or has ended. */
export function taskHandlers({ tasks }: State): Pick<Handlers, "stopTask" | "dismissTask"> {
  return {
    async stopTask({ task }) {
      tasks.stop(task);
      return {};
    },
    async dismissTask({ task }) {
      tasks.dismiss(task);
      return {};
    },
  };
}
