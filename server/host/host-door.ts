import type { WebSocket } from "ws";
import type { HostFacts } from "../../protocol/host.js";
import { PROTOCOL_VERSION } from "../../protocol/messages.js";
import { type HostLink, type HostNews, openHostLink } from "./host-link.js";

type Hello = Extract<HostNews, { type: "hello" }>;

/** Lets one WebUI in: a socket counts for nothing until it has said whose it is. */
export type HostDoor = {
  link(): HostLink | null;
  /** A shim's socket, whose secret was checked. */
  accept(socket: WebSocket): void;
};

/** Why a shim's socket is closed from here. */
export const HOST_CLOSE = { otherVersion: 4400, noHello: 4408, otherWebui: 4409, replaced: 4410 } as const;

const HELLO_MS = 10_000;

export function openHostDoor(house: {
  onConnected: (link: HostLink, facts: HostFacts) => void;
  onLost: () => void;
  onNews: (news: Exclude<HostNews, Hello>) => void;
}): HostDoor {
  let inside: { link: HostLink; pid: number } | null = null;

  function welcome(link: HostLink, hello: Hello): void {
    const refusal = refusalOf(hello, inside?.pid ?? null);
    if (refusal !== null) {
      link.close(refusal.code, refusal.reason);
      return;
    }
    const former = inside?.link;
    if (former !== undefined) lose(former);
    former?.close(HOST_CLOSE.replaced, "the WebUI has connected anew");
    inside = { link, pid: hello.facts.pid };
    house.onConnected(link, hello.facts);
  }

  function lose(link: HostLink): void {
    if (inside?.link !== link) return;
    inside = null;
    house.onLost();
  }

  return {
    link: () => inside?.link ?? null,
    accept(socket) {
      const impatience = setTimeout(() => link.close(HOST_CLOSE.noHello, "expected hello within 10 seconds"), HELLO_MS);
      const link: HostLink = openHostLink(socket, {
        onNews(news) {
          clearTimeout(impatience);
          if (news.type === "hello") welcome(link, news);
          else if (link === inside?.link) house.onNews(news);
        },
        onLost() {
          clearTimeout(impatience);
          lose(link);
        },
      });
    },
  };
}

// At most 123 bytes fit into a socket's reason.
function refusalOf(hello: Hello, presentPid: number | null): { code: number; reason: string } | null {
  if (hello.protocolVersion !== PROTOCOL_VERSION)
    return {
      code: HOST_CLOSE.otherVersion,
      reason: `the server speaks protocol ${PROTOCOL_VERSION}, this WebUI ${hello.protocolVersion}; restart both after an update`,
    };
  if (presentPid === null || presentPid === hello.facts.pid || !isAlive(presentPid)) return null;
  return {
    code: HOST_CLOSE.otherWebui,
    reason: `the WebUI of process ${presentPid} uses this home already; close it, or use another data folder`,
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
