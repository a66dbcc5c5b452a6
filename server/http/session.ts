import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Unused codes that are kept; the oldest is forgotten first. */
const MAX_CODES = 16;

/** Who may speak to this server: holders of its secret, and pages that came by a one-time code. */
export type Session = {
  /** A code that opens one page once; it travels in the address's fragment, which browsers never send. */
  newCode(): string;
  /** The Set-Cookie line for a code, or null when it was used, forgotten or never given. */
  redeem(code: string): string | null;
  allows(request: IncomingMessage): boolean;
  /** Whether it came with the secret itself: our own programs, never a browser. */
  hasSecret(request: IncomingMessage): boolean;
};

export function openSession(secret: string, port: number): Session {
  const codes: string[] = [];
  // Browsers share cookies among the ports of one host, so the name tells servers apart.
  const cookieName = `train-lora-${port}`;
  const cookieValue = createHmac("sha256", secret).update("session cookie").digest("hex");

  // Undefined when no secret was shown at all.
  const secretIsRight = (request: IncomingMessage): boolean | undefined => {
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    return bearer === undefined ? undefined : isSame(bearer, secret);
  };

  return {
    newCode() {
      const code = randomBytes(18).toString("base64url");
      codes.push(code);
      if (codes.length > MAX_CODES) codes.shift();
      return code;
    },
    redeem(code) {
      const at = codes.findIndex((known) => isSame(known, code));
      if (at < 0) return null;
      codes.splice(at, 1);
      return `${cookieName}=${cookieValue}; Path=/; HttpOnly; SameSite=Strict`;
    },
    allows(request) {
      const right = secretIsRight(request);
      if (right !== undefined) return right;
      const cookie = cookiesOf(request).get(cookieName);
      return cookie !== undefined && isSame(cookie, cookieValue);
    },
    hasSecret: (request) => secretIsRight(request) === true,
  };
}

// Hashed first, because timingSafeEqual wants equal lengths and a length must not be told either.
function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash("sha256").update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}

function cookiesOf(request: IncomingMessage): Map<string, string> {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("=", 2));
  return new Map(pairs.flatMap(([name, value]) => (name !== undefined && value !== undefined ? [[name, value] as const] : [])));
}
