import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { apiServerByFlags, readApiServerFlags } from './api-server-flags.ts'

describe('flags for the API server of t8s up', () => {
  it.each([
    ['audit-polcy-file=/a', 'unknown flag: --audit-polcy-file; did you mean --audit-policy-file?'],
    ['audit-log-maxage=x', 'invalid argument "x" for "--audit-log-maxage" flag'],
    ['etcd-servers=http://a', '--apiserver-flag=etcd-servers is not for this cluster'],
    ['allow-privileged=false', '--apiserver-flag=allow-privileged is not for this cluster'],
    ['audit-policy-file=policy.yaml', 'is a relative path'],
  ])('refuse %s', (flag, why) => {
    expect(() => readApiServerFlags([flag])).toThrow(why)
  })

  it('make an audit, and keep nodes where they belong', async () => {
    const folder = mkdtempSync(join(tmpdir(), 't8s-flags-'))
    const policy = join(folder, 'policy.yaml')
    writeFileSync(policy, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: Metadata }]\n')
    const flags = [
      `--audit-policy-file=${policy}`,
      `audit-log-path=${join(folder, 'audit.log')}`,
      'enable-admission-plugins=AlwaysPullImages',
    ]
    const parts = { clock: virtualClock(), log: silentLogger, registry: new Registry(), serverId: 'a' }
    await using made = await apiServerByFlags(readApiServerFlags(flags), parts)
    expect(made.audit).toBeDefined()
    expect(made.jwt).toBeUndefined()
    expect(made.admission.enabled).toEqual(['NodeRestriction', 'AlwaysPullImages'])
    rmSync(folder, { recursive: true })
  })

  it('change nothing where none is given', async () => {
    const parts = { clock: virtualClock(), log: silentLogger, registry: new Registry(), serverId: 'a' }
    await using made = await apiServerByFlags(readApiServerFlags([]), parts)
    expect(made).toMatchObject({
      audit: undefined,
      jwt: undefined,
      anonymous: true,
      admission: { enabled: ['NodeRestriction'], disabled: [] },
    })
  })

  it('say where a file is wrong', async () => {
    const parts = { clock: virtualClock(), log: silentLogger, registry: new Registry(), serverId: 'a' }
    await expect(apiServerByFlags(readApiServerFlags(['audit-policy-file=/nowhere/policy.yaml']), parts)).rejects.toThrow(
      '/nowhere/policy.yaml',
    )
  })
})
