import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { run } from '#base/process/run.ts'
import { kubectlFor } from '../support/kubectl.ts'

/* Flags of the API server that a cluster of `t8s up` takes, on a cluster of simulated nodes. */

const folder = mkdtempSync(join(tmpdir(), 't8s-up-flags-'))
const policy = join(folder, 'policy.yaml')
const log = join(folder, 'audit.log')
const program = fileURLToPath(new URL('../../bin/t8s', import.meta.url))
const t8s = (...args: string[]) => run(program, args, { allowCodes: [1], timeoutMs: 60_000 })
const up = (...args: string[]) => t8s('up', '--data-dir', join(folder, 'cluster'), ...args)
const nodes = () => t8s('get', 'nodes', '--kubeconfig', join(folder, 'cluster/kubeconfig'))
const lines = () => readFileSync(log, 'utf8').split('\n').length

afterAll(async () => {
  await t8s('down', '--purge', '--data-dir', join(folder, 'cluster'))
  rmSync(folder, { recursive: true, force: true })
})

describe('a cluster of t8s up', () => {
  it('records what is asked when flags of its API server say so, also after the next start, until they are taken back', async () => {
    writeFileSync(policy, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: Metadata }]\n')
    await up('--simulated-nodes=1', '--apiserver-flag', `audit-policy-file=${policy}`, '--apiserver-flag', `audit-log-path=${log}`)
    await nodes()
    const after = lines()
    expect(readFileSync(log, 'utf8')).toContain('"requestURI":"/api/v1/nodes')
    await t8s('down', '--data-dir', join(folder, 'cluster'))
    await up()
    await nodes()
    expect(lines()).toBeGreaterThan(after)
    await up('--apiserver-flag=')
    const ended = lines()
    expect((await nodes()).stdout).toContain('simulated-1')
    expect(lines()).toBe(ended)
  }, 120_000)

  it('shows at /metrics what API server, scheduler and controllers do, each metric once', async () => {
    const kubectl = await kubectlFor(join(folder, 'cluster/kubeconfig'))
    const stdout = await kubectl('get --raw /metrics')
    for (const line of [
      /^scheduler_cache_size\{type="nodes"\} 1$/m,
      /^workqueue_adds_total\{name="node_lifecycle_controller"\} /m,
      /^apiserver_request_total/m,
    ])
      expect(stdout).toMatch(line)
    const told = [...stdout.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name)
    expect(told.filter((name, index) => told.indexOf(name) !== index)).toEqual([])
  }, 60_000)

  it('refuses flags that are not for it before anything is changed', async () => {
    expect((await up('--apiserver-flag', 'etcd-servers=http://127.0.0.1:1')).stderr).toContain('is not for this cluster')
    expect((await nodes()).stdout).toContain('simulated-1')
  }, 60_000)
})
