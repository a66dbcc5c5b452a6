/** `npm run build`: dist/server/*.js by esbuild and dist/ui by Vite. `--if-stale` does only what changed sources ask for. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const parts = {
  server: { sources: ["server", "protocol", "package.json", "tools/build.mjs"], output: "dist/server/cli.js", build: buildServer },
  ui: { sources: ["ui", "protocol", "package.json"], output: "dist/ui/index.html", build: buildUi },
};

/** Builds what is stale, or everything. @param {{ifStale: boolean}} options */
export async function buildAll({ ifStale }) {
  mkdirSync(join(root, "dist"), { recursive: true });
  for (const [name, part] of Object.entries(parts)) {
    const stamp = join(root, "dist", `.${name}-sources`);
    const hash = hashOf(part.sources);
    const fresh = existsSync(join(root, part.output)) && existsSync(stamp) && readFileSync(stamp, "utf8") === hash;
    if (ifStale && fresh) continue;
    process.stderr.write(`Building the ${name} …\n`);
    // A build that is cut off leaves a mixture behind, which no stamp of before may vouch for.
    rmSync(stamp, { force: true });
    await part.build();
    writeFileSync(stamp, hash);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  await buildAll({ ifStale: process.argv.includes("--if-stale") });

async function buildServer() {
  const { build } = await import("esbuild");
  await build({
    absWorkingDir: root,
    entryPoints: { main: "server/main.ts", cli: "server/cli/main.ts", demo: "server/demo.ts" },
    outdir: "dist/server",
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    sourcemap: true,
    logLevel: "warning",
  });
}

async function buildUi() {
  const { build } = await import("vite");
  await build({ root: join(root, "ui"), configFile: join(root, "ui", "vite.config.ts"), logLevel: "warn" });
}

function hashOf(sources) {
  const hash = createHash("sha256");
  for (const file of sources.flatMap((source) => filesBelow(join(root, source))).sort()) hash.update(file).update(readFileSync(file));
  return hash.digest("hex");
}

function filesBelow(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.name === "node_modules" ? [] : filesBelow(join(path, entry.name)),
  );
}
