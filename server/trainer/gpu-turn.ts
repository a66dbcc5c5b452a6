import type { JobEvent } from "../../protocol/job.js";

/** What a training offers to whoever shares the GPU with it. */
export type GpuUser = {
  readonly job: string;
  readonly name: string;
  /** Adds an event to the run's record; a disk that takes nothing is no reason to stop here. */
  tell(event: JobEvent): void;
  /** Does nothing before the trainer runs and after it has left. */
  command(command: "park" | "unpark"): void;
};

/** One training's use of the GPU, from before its trainer starts until after it has left. */
export type GpuTurn = {
  /** Settles when the trainer may start; rejects with the signal's reason. */
  begin(signal: AbortSignal): Promise<void>;
  hear(event: JobEvent): void;
  /** Gives the GPU back on whatever way the training ends; never rejects. */
  end(): Promise<void>;
};
