import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['src/**/*.test.ts', 'tools/**/*.test.ts'],
    pool: 'threads',
    // Files share the modules of their thread: loading them anew for each took twice as long as all tests. That no test leans on what another
    // left behind shows in any order: `npx vitest run --sequence.shuffle`.
    isolate: false,
    // All cores: the thread that hands out the files has little to do once the modules are loaded.
    maxWorkers: '100%',
    testTimeout: 10_000,
  },
})
