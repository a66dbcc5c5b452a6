#!/usr/bin/env node
// Runs the built command line, building it first where a fresh checkout has none.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

if (!existsSync(`${root}dist/server/cli.js`)) build();
await import("../dist/server/cli.js");

function build() {
  if (!existsSync(`${root}node_modules/esbuild`)) {
    process.stderr.write(`The Node packages of Train LoRA are missing. Run "npm ci" in ${root} and try again.\n`);
    process.exit(1);
  }
  const { status } = spawnSync(process.execPath, [`${root}tools/build.mjs`, "--if-stale"], { stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    process.stderr.write(`The command line could not be built. Run "npm run build" in ${root} to see why.\n`);
    process.exit(1);
  }
}
