import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const PackageJson = z.object({ name: z.string(), version: z.string() });

/** The checkout's root folder, from the sources and from the bundles in dist/ alike: the nearest package.json named "train-lora". */
export function checkoutRoot(): string {
  return checkout().root;
}

/** The version in the checkout's package.json. */
export function serverVersion(): string {
  return checkout().version;
}

type Checkout = { root: string; version: string };
let found: Checkout | undefined;

function checkout(): Checkout {
  found ??= searchUpwards(dirname(fileURLToPath(import.meta.url)));
  return found;
}

function searchUpwards(from: string): Checkout {
  const file = join(from, "package.json");
  if (existsSync(file)) {
    const parsed = PackageJson.safeParse(JSON.parse(readFileSync(file, "utf8")));
    if (parsed.success && parsed.data.name === "train-lora") return { root: from, version: parsed.data.version };
  }
  const parent = dirname(from);
  if (parent === from) throw new Error("Expected a package.json named train-lora above the program's own file, but there is none.");
  return searchUpwards(parent);
}
