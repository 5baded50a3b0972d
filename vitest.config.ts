import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['src/**/*.test.ts', 'tools/**/*.test.ts'],
    pool: 'threads',
    testTimeout: 10_000,
  },
})
