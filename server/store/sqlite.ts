import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "libsql";
import { FailureError } from "../../protocol/errors.js";

export type Sqlite = InstanceType<typeof Database>;

/**
 * Opens (or makes) a database and brings it up to `migrations.length` by running the statements it has not seen yet, each in a
 * transaction of its own. Throws a Failure when a newer version of the program has written it.
 */
export function openDatabase(file: string, migrations: readonly string[]): Sqlite {
  mkdirSync(dirname(file), { recursive: true });
  const database = new Database(file);
  // What libsql does by default is not promised; WAL with NORMAL loses nothing when a process is killed.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON");
  const version = userVersion(database);
  if (version > migrations.length) {
    database.close();
    throw new FailureError(
      "unknown",
      `The database ${file} was written by a newer Train LoRA (version ${version}, this one knows ${migrations.length}). Update Train LoRA or choose another --home.`,
    );
  }
  migrations.slice(version).forEach((statements, index) => {
    database.exec(`BEGIN; ${statements}; PRAGMA user_version = ${version + index + 1}; COMMIT`);
  });
  return database;
}

/**
 * Holds `file` as a lock among processes until `release` is called or the process ends in any way: SQLite's exclusive lock is the
 * operating system's own, so a killed holder leaves nothing stale behind. Null when another holds it. Never open the file otherwise.
 */
export function holdLock(file: string): (() => void) | null {
  mkdirSync(dirname(file), { recursive: true });
  const database = new Database(file);
  try {
    database.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return () => database.close();
  } catch (error) {
    database.close();
    if (error instanceof Error && "code" in error && error.code === "SQLITE_BUSY") return null;
    throw error;
  }
}

/** Waits until the lock is free and holds it; `onWait` is called once if there is something to wait for. */
export async function waitForLock(file: string, onWait?: () => void, signal?: AbortSignal): Promise<() => void> {
  for (let waited = false; ; waited = true) {
    const release = holdLock(file);
    if (release !== null) return release;
    if (!waited) onWait?.();
    await sleep(100, undefined, signal ? { signal } : {});
  }
}

function userVersion(database: Sqlite): number {
  const row = database.prepare("PRAGMA user_version").get();
  return typeof row === "object" && row !== null && "user_version" in row ? Number(row.user_version) : 0;
}
