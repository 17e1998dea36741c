import { defineConfig } from 'vitest/config';

/** `npm run live`: real processes, real gRPC, real kill -9. One file, and so one cluster, at a time. */
export default defineConfig({
  test: {
    include: ['test/live/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    sequence: { concurrent: false },
    // Each test states its own budget; this is for those that start nothing.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
  },
});
