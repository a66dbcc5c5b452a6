import { z } from "zod";
import { DatasetSummary } from "../../protocol/dataset.js";
import { applyEvent, Job, JobEvent, newJob } from "../../protocol/job.js";
import { openDatabase } from "./sqlite.js";

const MIGRATIONS = [
  `CREATE TABLE jobs (id TEXT PRIMARY KEY, facts TEXT NOT NULL, position REAL NOT NULL);
   CREATE TABLE events (job TEXT NOT NULL REFERENCES jobs (id), seq INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (job, seq)) WITHOUT ROWID;
   CREATE TABLE summaries (dataset TEXT PRIMARY KEY, summary TEXT NOT NULL)`,
  "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
];

const JobFacts = Job.pick({ id: true, name: true, dataset: true, baseModel: true, createdAt: true, totalSteps: true, epochs: true });
const JobRow = z.object({ id: z.string(), facts: z.string(), position: z.number() });
const EventRow = z.object({ event: z.string() });
const SettingRow = z.object({ value: z.string() });
const SummaryRow = z.object({ summary: z.string() });

/** What outlives the server: the jobs as their events in order, the order of the queue, and what is known of each data set. */
export type Store = {
  /** Every job, oldest first. */
  jobs(): Job[];
  job(id: string): Job | undefined;
  /** Adds a new job at the end of the queue. */
  addJob(job: Job): void;
  /** Folds the event into the job and keeps it. When the disk refuses it the job is still folded in memory, and the refusal is thrown. */
  append(id: string, event: JobEvent): Job;
  /** Jobs with the status `queued`, next one first. */
  queued(): Job[];
  place(id: string, where: "first" | "last"): void;
  summaries(): DatasetSummary[];
  keepSummary(summary: DatasetSummary): void;
  /** What was kept under this name, as JSON; undefined when nothing was. */
  setting(name: string): unknown;
  keepSetting(name: string, value: unknown): void;
  close(): void;
};

type Entry = { job: Job; position: number; seq: number };

/** Opens the store; what was in it is the fold of its events. */
export function openStore(file: string): Store {
  const database = openDatabase(file, MIGRATIONS);
  const entries = readEntries(database);
  const insertJob = database.prepare("INSERT INTO jobs (id, facts, position) VALUES (?, ?, ?)");
  const insertEvent = database.prepare("INSERT INTO events (job, seq, event) VALUES (?, ?, ?)");
  const setPosition = database.prepare("UPDATE jobs SET position = ? WHERE id = ?");
  const setSummary = database.prepare("INSERT OR REPLACE INTO summaries (dataset, summary) VALUES (?, ?)");

  const setSetting = database.prepare("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)");

  function entryOf(id: string): Entry {
    const entry = entries.get(id);
    if (entry === undefined) throw new Error(`There is no job ${id} in the store.`);
    return entry;
  }

  return {
    jobs: () => [...entries.values()].map(({ job }) => job),
    job: (id) => entries.get(id)?.job,
    addJob(job) {
      const position = endOf(entries) + 1;
      insertJob.run(job.id, JSON.stringify(JobFacts.parse(job)), position);
      entries.set(job.id, { job, position, seq: 0 });
    },
    append(id, event) {
      const entry = entryOf(id);
      entry.job = applyEvent(entry.job, event);
      entry.seq += 1;
      insertEvent.run(id, entry.seq, JSON.stringify(event));
      return entry.job;
    },
    queued: () =>
      [...entries.values()]
        .filter(({ job }) => job.status === "queued")
        .sort((a, b) => a.position - b.position)
        .map(({ job }) => job),
    place(id, where) {
      const entry = entryOf(id);
      entry.position = where === "last" ? endOf(entries) + 1 : Math.min(0, ...[...entries.values()].map(({ position }) => position)) - 1;
      setPosition.run(entry.position, id);
    },
    summaries: () =>
      database
        .prepare("SELECT summary FROM summaries ORDER BY dataset")
        .all()
        .map((row) => DatasetSummary.parse(JSON.parse(SummaryRow.parse(row).summary))),
    keepSummary: (summary) => void setSummary.run(summary.name, JSON.stringify(summary)),
    setting(name) {
      const row = SettingRow.safeParse(database.prepare("SELECT value FROM settings WHERE name = ?").get(name));
      return row.success ? JSON.parse(row.data.value) : undefined;
    },
    keepSetting: (name, value) => void setSetting.run(name, JSON.stringify(value)),
    close: () => database.close(),
  };
}

function readEntries(database: ReturnType<typeof openDatabase>): Map<string, Entry> {
  const events = database.prepare("SELECT event FROM events WHERE job = ? ORDER BY seq");
  const entries = new Map<string, Entry>();
  for (const row of database.prepare("SELECT id, facts, position FROM jobs ORDER BY rowid").all()) {
    const { id, facts, position } = JobRow.parse(row);
    const past = events.all(id).map((event) => JobEvent.parse(JSON.parse(EventRow.parse(event).event)));
    entries.set(id, { job: past.reduce(applyEvent, newJob(JobFacts.parse(JSON.parse(facts)))), position, seq: past.length });
  }
  return entries;
}

function endOf(entries: ReadonlyMap<string, Entry>): number {
  return Math.max(0, ...[...entries.values()].map(({ position }) => position));
}
