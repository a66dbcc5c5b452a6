import { applyEvent, etaSeconds, type Job, type JobEvent } from "../../protocol/job.js";

const BAR_WIDTH = 24;
const PLAIN_INTERVAL_MS = 10_000;

/** Shows a person how a job goes: one line drawn over itself on a terminal, else a line now and then. */
export type TrainProgress = {
  add(event: JobEvent): void;
  job(): Job;
  /** Ends the line that is being drawn over. */
  end(): void;
};

export function showProgress({
  job: before,
  terminal,
  write,
}: {
  job: Job;
  terminal: boolean;
  write: (text: string) => void;
}): TrainProgress {
  let job = before;
  let plainAt = 0;
  let open = false;

  function line(text: string): void {
    write(`${open ? "\r\x1b[2K" : ""}${text}\n`);
    open = false;
  }

  function moving(text: string): void {
    if (terminal) {
      write(`\r\x1b[2K${text}`);
      open = true;
    } else if (Date.now() - plainAt >= PLAIN_INTERVAL_MS) {
      plainAt = Date.now();
      line(text);
    }
  }

  return {
    add(event) {
      job = applyEvent(job, event);
      const said = sentenceOf(event, job);
      if (said !== null) line(said);
      else if (event.type === "step" || event.type === "stage" || event.type === "cell") moving(movingLine(job));
    },
    job: () => job,
    end() {
      if (open) write("\n");
      open = false;
    },
  };
}

/** `1 h 5 min`, `2 min 10 s`, `8 s`. */
export function inWords(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

// What deserves a line that stays.
function sentenceOf(event: JobEvent, job: Job): string | null {
  switch (event.type) {
    case "started":
      return event.step > 0
        ? `Goes on at step ${event.step} of ${event.totalSteps} on ${event.device}`
        : `Training ${event.totalSteps} steps on ${event.device}`;
    case "evaluated":
      return event.heldOutLoss === null
        ? null
        : `Epoch ${event.epoch}: held-out loss ${event.heldOutLoss.toFixed(4)}, drift ${event.drift.toFixed(4)}`;
    case "saved":
      return `Epoch ${event.epoch} of ${job.epochs}: saved ${event.file}`;
    case "savedNow":
      return `Step ${event.step}: saved ${event.file}`;
    case "warning":
      return `Warning: ${event.message}`;
    default:
      return null;
  }
}

const STAGE_WORDS: Record<string, string> = {
  installing: "installing the trainer",
  waitingForGpu: "waiting for the GPU",
  loadingModel: "loading the base model",
  cachingLatents: "encoding the pictures",
  measuringBase: "measuring the base model",
  drawingBase: "drawing the base model's pictures",
  drawingGrid: "drawing the grid",
  evaluating: "measuring the epoch",
  saving: "saving",
  drawingSamples: "drawing pictures of this step",
};

function movingLine(job: Job): string {
  const share = job.totalSteps > 0 ? Math.min(1, job.step / job.totalSteps) : 0;
  const filled = Math.round(share * BAR_WIDTH);
  const bar = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}`;
  const where = `${bar} step ${job.step}/${job.totalSteps}, epoch ${job.epoch}/${job.epochs}`;
  if (job.stage !== null) return `${where}, ${STAGE_WORDS[job.stage.name] ?? job.stage.name} ${job.stage.done}/${job.stage.total}`;
  const loss = job.losses.at(-1)?.[1];
  const eta = etaSeconds(job);
  return `${where}${loss === undefined ? "" : `, loss ${loss.toFixed(4)}`}${eta === null ? "" : `, ${inWords(eta)} left`}`;
}
