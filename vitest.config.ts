import { defineConfig } from "vitest/config";

// A second is too short for a busy machine; what comes sooner is not waited for any longer.
const expectation = { poll: { timeout: 15_000 } };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          expect: expectation,
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/extension/**", "test/webui/**"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "webui",
          expect: expectation,
          include: ["test/webui/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          maxWorkers: 1,
          fileParallelism: false,
          bail: 1,
        },
      },
      {
        test: {
          name: "e2e",
          expect: expectation,
          include: ["test/e2e/**/*.test.ts", "test/extension/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 300_000,
          maxWorkers: 1,
          fileParallelism: false,
        },
      },
    ],
  },
});
