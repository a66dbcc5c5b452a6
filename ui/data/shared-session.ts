import { createSession, exchangeCode, type Session } from "./session.js";

/** One's part in a shared session. `ready` is done when the address holds no one-time code any more. */
export type Membership = { session: Session; ready: Promise<void>; leave: () => void };

type Shared = { session: Session; ready: Promise<void>; members: number };

const shared = new Map<string, Shared>();

/** The page's one connection to a server: the first who joins opens it, the last who leaves ends it. */
export function joinSession(base: string): Membership {
  const entry = shared.get(base) ?? begin(base);
  entry.members += 1;
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
    },
  };
}

/** How many elements share a session with this server now. */
export function membersOf(base: string): number {
  return shared.get(base)?.members ?? 0;
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
