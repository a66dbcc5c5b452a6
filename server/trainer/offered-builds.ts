import { execa } from "execa";
import { venvEnvironment } from "./pip.js";

export type Offer = {
  /** The builds of this release that pip could install from there for this Python and system, such as cu128. */
  readonly names: readonly string[];
  /** Nobody answered at the address; what is named lies elsewhere, in pip's own places. */
  readonly unreachable: boolean;
};

export type OfferRequest = {
  readonly python: string;
  readonly index: string;
  readonly version: string;
  readonly signal: AbortSignal | undefined;
};

/**
 * Asks an index of packages which builds of torch `version` it has. pip does the asking, so that proxies, certificates and passwords hold
 * that are meant for it. It gives up sooner than for a package itself: at the longest after half a minute.
 */
export async function askOffer({ python, index, version, signal }: OfferRequest): Promise<Offer> {
  const patience = ["--retries", "1", "--timeout", "15"];
  const args = ["-m", "pip", "index", "versions", "torch", "--index-url", index, "--disable-pip-version-check", "--no-input", ...patience];
  const result = await execa(python, args, {
    reject: false,
    all: true,
    stdin: "ignore",
    env: venvEnvironment(),
    extendEnv: false,
    timeout: 120_000,
    ...(signal ? { cancelSignal: signal } : {}),
  });
  signal?.throwIfAborted();
  return { names: namesIn(result.stdout ?? "", version), unreachable: UNREACHABLE.test(result.all ?? "") };
}

/** What pip writes when no answer came; an index that answers but lacks the package is written without any of it. */
const UNREACHABLE = /after connection broken by|Could not fetch URL .*connection error|confirming the ssl certificate|ProxyError|SSLError/i;

/** `Available versions: 2.13.0+cu128, 2.13.0+cpu, 2.12.0+cpu` → cu128, cpu. */
function namesIn(said: string, version: string): string[] {
  const listed = /^Available versions:(.*)$/m.exec(said)?.[1] ?? "";
  const builds = listed.split(",").map((each) => each.trim().split("+"));
  return builds.flatMap(([number, name]) => (number === version && name !== undefined ? [name] : []));
}
