import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Tests that need root, containers, network namespaces or ports: one file at a time, since they share the machine. */
export default defineConfig({
  resolve: {
    conditions: ['source'],
    // The set-up is loaded without the condition above.
    alias: [{ find: /^#(.+)$/, replacement: `${fileURLToPath(new URL('src/', import.meta.url))}$1` }],
  },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['test/**/*.{int,e2e,sim,test}.ts'],
    globalSetup: ['test/support/install-packages.ts', 'test/support/build-programs.ts'],
    // The programs that tests start compare their caches with the store when they end.
    env: { KUBE_WATCHCACHE_CONSISTENCY_CHECKER: 'true' },
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
})
