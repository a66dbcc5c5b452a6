/** `npm run dev`: the server restarts when its sources change, and Vite serves the page with hot reload in front of it. */
import { spawn } from "node:child_process";
import { createServer } from "vite";
import { homePaths, resolveHome } from "../server/paths.js";
import { root } from "./commands.js";

const port = 7862;
const target = `http://127.0.0.1:${port}`;
const server = spawn(process.execPath, ["node_modules/tsx/dist/cli.mjs", "watch", "server/main.ts", "--port", String(port)], {
  cwd: root,
  stdio: "inherit",
});
server.on("exit", (code) => process.exit(code ?? 0));

// The server refuses foreign origins, so the proxy speaks in its name.
const proxied = { target, changeOrigin: true, headers: { origin: target } };
const vite = await createServer({
  root: `${root}ui`,
  configFile: `${root}ui/vite.config.ts`,
  server: { host: "127.0.0.1", port: port + 1, proxy: { "/api": proxied, "/ws": { ...proxied, ws: true } } },
});
await vite.listen();
process.stdout.write(
  `Page with hot reload: http://127.0.0.1:${port + 1}/ (open the server's address once first: it sets the cookie). Server file: ${homePaths(resolveHome()).serverFile}\n`,
);

process.on("SIGINT", () => server.kill("SIGTERM"));
process.on("SIGTERM", () => server.kill("SIGTERM"));
