import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  build: {
    outDir: fileURLToPath(new URL("../dist/ui", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
    // The WebUI mounts the element by importing one module whose name never changes.
    rolldownOptions: { output: { entryFileNames: "train-lora.js" } },
  },
  server: { proxy: { "/api": "http://127.0.0.1:7870", "/ws": { target: "ws://127.0.0.1:7870", ws: true } } },
});
