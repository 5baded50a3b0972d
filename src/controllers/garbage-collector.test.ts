import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import type { Secret } from '#kinds/core/v1/secret.ts'
import { garbageCollectorController } from './garbage-collector.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'

const start = () => testCluster([garbageCollectorController])
const owner = (object: ConfigMap | Secret, more: object = {}) => ({
  apiVersion: 'v1',
  kind: object.kind,
  name: object.metadata.name!,
  uid: object.metadata.uid!,
  ...more,
})
const add = (cluster: TestCluster, name: string, owners: object[] = [], namespace = 'default') =>
  cluster.api.put(ConfigMap, { metadata: { name, namespace, ownerReferences: owners } })
const names = (cluster: TestCluster) =>
  cluster.api
    .all(ConfigMap)
    .map(({ metadata }) => metadata.name!)
    .sort()

describe('garbage-collector-controller', () => {
  it('deletes what is left of a deleted owner, and what that owned', async () => {
    await using cluster = start()
    const root = add(cluster, 'root')
    const child = add(cluster, 'child', [owner(root)])
    add(cluster, 'grandchild', [owner(child)])
    add(cluster, 'stranger')
    await cluster.settle()
    await cluster.api.client().delete(ConfigMap, root)
    await cluster.settle()
    expect(names(cluster)).toEqual(['stranger'])
  })

  it('keeps an object that has another owner, and drops the dead reference', async () => {
    await using cluster = start()
    const [first, second] = [add(cluster, 'first'), add(cluster, 'second')]
    add(cluster, 'child', [owner(first), owner(second)])
    await cluster.settle()
    await cluster.api.client().delete(ConfigMap, first)
    await cluster.settle()
    expect(cluster.api.find(ConfigMap, 'child')!.metadata.ownerReferences).toMatchObject([{ name: 'second' }])
  })

  it('deletes in the foreground: the owner goes last', async () => {
    await using cluster = start()
    const root = add(cluster, 'root')
    cluster.api.put(ConfigMap, {
      metadata: {
        name: 'held',
        namespace: 'default',
        finalizers: ['example.com/hold'],
        ownerReferences: [owner(root, { blockOwnerDeletion: true })],
      },
    })
    await cluster.settle()
    await cluster.api.client().delete(ConfigMap, root, { propagationPolicy: 'Foreground' })
    await cluster.settle()
    expect(cluster.api.find(ConfigMap, 'held')!.metadata.deletionTimestamp).toBeDefined()
    expect(names(cluster)).toEqual(['held', 'root'])
    cluster.api.change(ConfigMap, 'held', held => {
      held.metadata.finalizers = []
    })
    await cluster.settle()
    expect(names(cluster)).toEqual([])
  })

  it('orphans dependents when asked to', async () => {
    await using cluster = start()
    const root = add(cluster, 'root')
    add(cluster, 'child', [owner(root)])
    await cluster.settle()
    await cluster.api.client().delete(ConfigMap, root, { propagationPolicy: 'Orphan' })
    await cluster.settle()
    expect(names(cluster)).toEqual(['child'])
    expect(cluster.api.find(ConfigMap, 'child')!.metadata.ownerReferences).toBeUndefined()
  })

  it('deletes an object that was created for an owner already gone', async () => {
    await using cluster = start()
    await cluster.settle()
    add(cluster, 'late', [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: 'no-such-uid' }])
    await cluster.settle()
    expect(names(cluster)).toEqual([])
  })

  it('deletes an object whose owner was replaced by another of the same name', async () => {
    await using cluster = start()
    const root = add(cluster, 'root')
    add(cluster, 'child', [owner(root)])
    await cluster.settle()
    cluster.api.remove(ConfigMap, 'root')
    add(cluster, 'root')
    await cluster.settle()
    expect(names(cluster)).toEqual(['root'])
  })

  it('does not take an object in another namespace for the owner', async () => {
    await using cluster = start()
    const root = add(cluster, 'root', [], 'elsewhere')
    add(cluster, 'child', [owner(root)])
    await cluster.settle()
    expect(names(cluster)).toEqual(['root'])
    expect(cluster.events().join()).toContain('OwnerRefInvalidNamespace')
  })

  it('keeps what a cluster-wide object owns', async () => {
    await using cluster = start()
    const namespace = cluster.api.put(Namespace, { metadata: { name: 'shop' } })
    add(cluster, 'child', [{ apiVersion: 'v1', kind: 'Namespace', name: 'shop', uid: namespace.metadata.uid }])
    await cluster.settle()
    expect(names(cluster)).toEqual(['child'])
    expect(cluster.api.writes).toEqual([])
  })

  it('does nothing about owners of a kind that nobody serves', async () => {
    await using cluster = start()
    add(cluster, 'child', [{ apiVersion: 'example.com/v1', kind: 'Thing', name: 'x', uid: 'y' }])
    await cluster.advance(10_000)
    expect(names(cluster)).toEqual(['child'])
  })

  it('ends a circle in foreground deletion', async () => {
    await using cluster = start()
    const first = add(cluster, 'first')
    const second = add(cluster, 'second', [owner(first, { blockOwnerDeletion: true })])
    cluster.api.change(ConfigMap, 'first', object => {
      object.metadata.ownerReferences = [{ ...owner(second), blockOwnerDeletion: true }]
    })
    await cluster.settle()
    await cluster.api.client().delete(ConfigMap, first, { propagationPolicy: 'Foreground' })
    await cluster.advance(5_000)
    expect(names(cluster)).toEqual([])
  })

  it('finds at its start what was orphaned while nobody looked', async () => {
    const before = start()
    const root = add(before, 'root')
    add(before, 'child', [owner(root)])
    await before.settle()
    await before[Symbol.asyncDispose]()
    before.api.remove(ConfigMap, 'root')
    expect(names(before)).toEqual(['child'])
    await using after = testCluster([garbageCollectorController], {}, 1, before)
    await after.settle()
    expect(names(after)).toEqual([])
  })

  it('SAFETY: nothing with a living owner goes. LIVENESS: nothing stays whose owners are all gone', async () => {
    const edges = fc.array(fc.tuple(fc.nat({ max: 7 }), fc.nat({ max: 7 })), { maxLength: 14 })
    await fc.assert(
      fc.asyncProperty(edges, fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 4 }), async (pairs, deleted) => {
        await using cluster = start()
        const objects: ConfigMap[] = []
        for (let index = 0; index < 8; index++) {
          const owners = [...new Set(pairs.filter(([child, parent]) => child === index && parent < index).map(([, parent]) => parent))]
          objects.push(
            add(
              cluster,
              `o${index}`,
              owners.map(parent => owner(objects[parent]!)),
            ),
          )
        }
        const ownersOf = objects.map(({ metadata }) => (metadata.ownerReferences ?? []).map(({ name }) => name))
        await cluster.settle()
        for (const index of deleted)
          await cluster.api
            .client()
            .delete(ConfigMap, { namespace: 'default', name: `o${index}` })
            .catch(() => undefined)
        await cluster.settle()
        const alive = new Set<string>()
        for (let index = 0; index < 8; index++) {
          if (deleted.includes(index)) continue
          if (ownersOf[index]!.length === 0 || ownersOf[index]!.some(name => alive.has(name))) alive.add(`o${index}`)
        }
        expect(names(cluster)).toEqual([...alive].sort())
      }),
      { numRuns: 60 },
    )
  })
})
