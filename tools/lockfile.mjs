/** Every optional (platform) package that the lockfile names must itself stand in it, or `npm ci` fails on that platform. */
import { readFileSync } from "node:fs";

const { packages } = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"));
const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
  Object.keys(optionalDependencies)
    .filter((name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`])
    .map((name) => `${path} needs ${name}`),
);
const hosts = Object.entries(packages).filter(([, { resolved }]) => resolved);

for (const line of missing) process.stderr.write(`${line}, which is not in package-lock.json\n`);
if (hosts.length > 0)
  process.stderr.write(
    `${hosts.length} packages in package-lock.json name a registry's host; install with omit-lockfile-registry-resolved\n`,
  );
process.exitCode = missing.length + hosts.length > 0 ? 1 : 0;
