import { createSession, exchangeCode, type Session } from "./session.js";

/** One's part in a shared session. `ready` is done when the address holds no one-time code any more. */
export type Membership = { session: Session; ready: Promise<void>; leave: () => void };

type Shared = { session: Session; ready: Promise<void>; members: number };

const shared = new Map<string, Shared>();
const watchers = new Set<() => void>();

/** The page's one connection to a server: the first who joins opens it, the last who leaves ends it. */
export function joinSession(base: string): Membership {
  const known = shared.get(base);
  const entry = known ?? begin(base);
  entry.members += 1;
  if (!known) for (const watcher of watchers) watcher();
  let isMember = true;
  return {
    session: entry.session,
    ready: entry.ready,
    leave() {
      if (!isMember) return;
      isMember = false;
      entry.members -= 1;
      if (entry.members > 0) return;
      shared.delete(base);
      entry.session.connection.close();
      for (const watcher of watchers) watcher();
    },
  };
}

/** How many elements share a session with this server now. */
export function membersOf(base: string): number {
  return shared.get(base)?.members ?? 0;
}

/** Calls `watcher` whenever a session begins or ends; the result ends that. */
export function watchSessions(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => void watchers.delete(watcher);
}

function begin(base: string): Shared {
  const session = createSession(base);
  const ready = exchangeCode(base).catch(() => undefined); // the connection then says that there is no server
  const entry = { session, ready, members: 0 };
  shared.set(base, entry);
  void ready.then(() => {
    if (shared.get(base) === entry) session.connection.open();
  });
  return entry;
}
