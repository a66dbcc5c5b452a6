import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../dist/ui",
    emptyOutDir: true,
    target: "es2022",
    // The WebUI imports each element by a module whose name never changes; what they share lies in chunks of its own.
    rolldownOptions: {
      input: { app: "/index.html", toasts: "/toasts.ts" },
      output: { entryFileNames: (chunk) => (chunk.name === "toasts" ? "train-lora-toasts.js" : "train-lora.js") },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:7870", "/ws": { target: "ws://127.0.0.1:7870", ws: true } } },
});
