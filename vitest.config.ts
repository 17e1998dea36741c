import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    setupFiles: ['test/seed.ts'],
    include: ['**/*.test.ts'],
    // Live tests start real processes and inject real faults: they have a command of their own.
    exclude: ['**/node_modules/**', 'test/live/**'],
    // Processes, not threads: native addons and process-wide handlers stay apart.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    teardownTimeout: 10_000,
  },
});
