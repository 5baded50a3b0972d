import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { StorageVersionMigration } from '#kinds/storagemigration/v1beta1/storage-version-migration.ts'
import { invalid } from '#machinery/status/failures.ts'
import { testCluster } from './runtime/test-cluster.ts'
import { holds, type MigrationStep, planMigration } from './storage-version-migrator.plan.ts'
import { storageVersionMigratorController } from './storage-version-migrator.ts'

type Mark = 'Running' | 'Succeeded' | 'Failed'

function migration(name: string, marks: readonly Mark[] = [], resource = 'configmaps', createdAt = '2026-01-01T00:00:00Z') {
  const conditions = marks.map(type => ({ type, status: 'True', reason: 'R', message: '', lastTransitionTime: createdAt }))
  return {
    metadata: { name, uid: name, creationTimestamp: createdAt },
    spec: { resource: { group: '', resource } },
    status: { conditions },
  } as unknown as StorageVersionMigration
}

describe('what comes next for a migration', () => {
  it.each<[string, MigrationStep, readonly Mark[], readonly StorageVersionMigration[]]>([
    ['alone', 'start', [], []],
    ['at work', 'migrate', ['Running'], []],
    ['done', 'rest', ['Succeeded'], []],
    ['done, and still marked as at work', 'clear', ['Running', 'Failed'], []],
    ['while another is at work', 'wait', [], [migration('z', ['Running'])]],
    ['while one that was asked for earlier waits too', 'wait', [], [migration('z', [], 'configmaps', '2025-12-31T00:00:00Z')]],
    ['while one of the same second and a name before waits', 'wait', [], [migration('a')]],
    ['while one of the same second and a name behind waits', 'start', [], [migration('z')]],
    ['after another is done', 'start', [], [migration('a', ['Succeeded'])]],
    ['while one of another resource is at work', 'start', [], [migration('a', ['Running'], 'secrets')]],
  ])('%s: %s', (_, step, marks, others) => {
    const own = migration('m', marks)
    expect(planMigration(own, [...others, own])).toBe(step)
  })

  /*
   * SAFETY: of one resource never two are at work.
   * LIVENESS: as long as one has not ended, one of them can go on.
   */
  it('keeps one at work of each resource, and always has one that can go on', () => {
    const states = fc.constantFrom<readonly Mark[]>([], ['Succeeded'], ['Failed'])
    const many = fc.array(
      fc.record({ marks: states, resource: fc.constantFrom('configmaps', 'secrets'), day: fc.integer({ min: 1, max: 3 }) }),
      {
        minLength: 1,
        maxLength: 8,
      },
    )
    fc.assert(
      fc.property(many, found => {
        let all = found.map(({ marks, resource, day }, index) => migration(`m${index}`, marks, resource, `2026-01-0${day}T00:00:00Z`))
        for (let round = 0; round < 4 * all.length; round++) {
          const index = all.findIndex(one => ['start', 'migrate', 'clear'].includes(planMigration(one, all)))
          if (index < 0) break
          const { metadata, spec } = all[index]!
          const step = planMigration(all[index]!, all)
          const marks: Mark[] = step === 'start' ? ['Running'] : step === 'migrate' ? ['Running', 'Succeeded'] : ['Succeeded']
          all = all.map((one, at) =>
            at === index ? migration(metadata.name!, marks, spec.resource.resource, metadata.creationTimestamp) : one,
          )
          for (const resource of ['configmaps', 'secrets']) {
            const atWork = all.filter(one => one.spec.resource.resource === resource && holds(one, 'Running') && !holds(one, 'Succeeded'))
            expect(atWork.length).toBeLessThanOrEqual(1)
          }
        }
        expect(all.every(one => holds(one, 'Succeeded') || holds(one, 'Failed'))).toBe(true)
      }),
    )
  })
})

describe('storage-version-migrator-controller', () => {
  const ask = (resource: string) => ({ metadata: { name: 'all' }, spec: { resource: { group: '', resource } } })
  const marksOf = ({ status }: StorageVersionMigration) => status.conditions?.map(({ type, message }) => [type, message])

  it('writes each object as it is, and passes over what has changed meanwhile', async () => {
    await using cluster = testCluster([storageVersionMigratorController])
    for (const name of ['a', 'b', 'c']) cluster.api.put(ConfigMap, { metadata: { name, namespace: 'default' }, data: { k: 'v' } })
    cluster.api.faults = {
      before({ verb, name }) {
        if (verb !== 'patch' || name !== 'b') return
        cluster.api.faults = {}
        cluster.api.change(ConfigMap, 'b', next => {
          next.data = { k: 'newer' }
        })
      },
    }
    cluster.api.put(StorageVersionMigration, ask('configmaps'))
    await cluster.advance(1_000)
    const patched = cluster.api.writes.filter(({ verb, kind }) => verb === 'patch' && kind === 'ConfigMap')
    expect(patched.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect(cluster.api.find(ConfigMap, 'b')!.data).toEqual({ k: 'newer' })
    expect(marksOf(cluster.api.find(StorageVersionMigration, 'all', '')!)).toEqual([['Succeeded', 'The migration has succeeded']])
  })

  it('waits a minute for a resource that is not known, then says so', async () => {
    await using cluster = testCluster([storageVersionMigratorController])
    cluster.api.put(StorageVersionMigration, ask('unicorns'))
    await cluster.advance(50_000)
    expect(marksOf(cluster.api.find(StorageVersionMigration, 'all', '')!)).toBeUndefined()
    await cluster.advance(20_000)
    expect(marksOf(cluster.api.find(StorageVersionMigration, 'all', '')!)).toEqual([['Failed', 'resource does not exist in discovery']])
  })

  it('names the object that cannot be written, and goes on after passing trouble', async () => {
    await using cluster = testCluster([storageVersionMigratorController])
    for (const name of ['a', 'b']) cluster.api.put(ConfigMap, { metadata: { name, namespace: 'default' } })
    let trouble = 2
    cluster.api.faults = {
      before({ verb, name }) {
        if (verb !== 'patch') return
        if (trouble-- > 0) throw new Error('connection reset')
        if (name === 'b') throw invalid({ group: '', kind: 'ConfigMap' }, 'b', [])
      },
    }
    cluster.api.put(StorageVersionMigration, ask('configmaps'))
    await cluster.advance(60_000)
    const [[type, message]] = marksOf(cluster.api.find(StorageVersionMigration, 'all', '')!)! as [[string, string]]
    expect(type).toBe('Failed')
    expect(message).toContain('configmaps default/b')
  })
})
