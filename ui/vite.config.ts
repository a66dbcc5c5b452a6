import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../dist/ui",
    emptyOutDir: true,
    target: "es2022",
    // The WebUI mounts the element by importing one module whose name never changes.
    rolldownOptions: { output: { entryFileNames: "train-lora.js" } },
  },
  server: { proxy: { "/api": "http://127.0.0.1:7870", "/ws": { target: "ws://127.0.0.1:7870", ws: true } } },
});
