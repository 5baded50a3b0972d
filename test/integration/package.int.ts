import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { run } from '#base/process/run.ts'

/* The package as another project has it: built, and imported by its name. */

const root = fileURLToPath(new URL('../..', import.meta.url))
const project = mkdtempSync(join(tmpdir(), 't8s-project-'))

afterAll(() => rmSync(project, { recursive: true, force: true }))

describe('the package', () => {
  it('gives a cluster to a test of another project, and lets its process end', async () => {
    await run(process.execPath, [join(root, 'tools/build.mjs')], { timeoutMs: 120_000 })
    mkdirSync(join(project, 'node_modules'))
    symlinkSync(root, join(project, 'node_modules/typernetes'))
    // Else a package.json above, wherever temporary files are, would be its own.
    writeFileSync(join(project, 'package.json'), '{ "name": "project", "private": true }')
    writeFileSync(
      join(project, 'test.mjs'),
      `import { startCluster } from 'typernetes/testing'
import { Deployment } from 'typernetes/kinds/apps/v1/deployment'

const name = { name: 'web', namespace: 'default' }
const labels = { app: 'web' }
const cluster = await startCluster({ nodes: 2 })
await cluster.client.create(Deployment, {
  metadata: name,
  spec: { replicas: 3, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } } },
})
await cluster.until(async () => (await cluster.client.get(Deployment, name)).status.readyReplicas === 3)
await cluster.stop()
console.log('three replicas are ready')
`,
    )
    const { stdout } = await run(process.execPath, ['test.mjs'], { cwd: project, timeoutMs: 30_000 })
    expect(stdout).toBe('three replicas are ready\n')
  })
})
