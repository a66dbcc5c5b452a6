import { rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { checkoutRoot } from "../../server/checkout.js";

/** The programs as they are shipped, built from the present sources, because a loader would take seconds at each start. */
export type Bundle = { readonly main: string; readonly cli: string; readonly demo: string; remove(): Promise<void> };

export async function bundlePrograms(): Promise<Bundle> {
  const root = checkoutRoot();
  const outdir = join(root, "dist", `test-${process.pid}-${Date.now()}`);
  await build({
    absWorkingDir: root,
    entryPoints: { main: "server/main.ts", cli: "server/cli/main.ts", demo: "server/demo.ts" },
    outdir,
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    logLevel: "error",
  });
  const program = (name: string) => join(outdir, `${name}.js`);
  return { main: program("main"), cli: program("cli"), demo: program("demo"), remove: () => rm(outdir, { recursive: true, force: true }) };
}
