import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import { directClient } from '#client/direct/direct-client.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { HorizontalPodAutoscaler as AutoscalerV1 } from '#kinds/autoscaling/v1/horizontal-pod-autoscaler.ts'
import { HorizontalPodAutoscaler as AutoscalerV2 } from '#kinds/autoscaling/v2/horizontal-pod-autoscaler.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { draft } from '#machinery/kind/draft.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import type { AdmissionPlugin } from '../admission/admission.ts'
import { type ApiServer, createApiServer } from '../api-server.ts'
import { alwaysAllow } from '../authorization/always.ts'
import { behaviours } from '../behaviours/behaviours.ts'
import type { Behaviour } from './behaviour.ts'

/* The rules of RULES.md that component.test.ts does not show. */

/** What was given for ConfigMaps and given back. */
const ledger = { begun: 0, committed: 0, released: 0 }
const counting: Behaviour = {
  group: '',
  resource: 'configmaps',
  begin() {
    ledger.begun++
    return { commit: () => void ledger.committed++, release: () => void ledger.released++ }
  },
}
const asked: string[] = []
const plugin: AdmissionPlugin = {
  name: 'Test',
  admit({ object }) {
    const labels = object?.metadata.labels
    if (labels?.['stamp']) labels['stamp'] = 'admitted'
    if (labels?.['spoil']) object!.metadata.labels = { 'not a label!': 'x' }
  },
  validate({ object, old, operation }) {
    asked.push(`${operation} ${object?.metadata.labels?.['stamp'] ?? old?.metadata.name}`)
    if (object?.metadata.labels?.['refuse']) throw new StatusError({ code: 403, reason: 'Forbidden', message: 'refused by the plugin' })
  },
}

let server: ApiServer
let client: Client
let clock: VirtualClock
let store: MemoryStore

beforeEach(async () => {
  clock = virtualClock(Date.parse('2026-11-20T12:00:00Z'))
  store = new MemoryStore({ clock })
  server = createApiServer({
    store,
    kinds: builtInKinds,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    authorizer: alwaysAllow,
    admission: [plugin],
    behaviours: [...behaviours(), counting],
  })
  client = directClient(server.handler, { user: { name: 'admin', groups: ['system:masters'] }, userAgent: 'test/1' })
  await server.ready()
  Object.assign(ledger, { begun: 0, committed: 0, released: 0 })
  asked.length = 0
})

afterEach(async () => {
  await server.stop()
  await store.close()
})

const at = (name: string, more: object = {}) => ({ namespace: 'default', name, ...more })
const configMap = (name: string, more: object = {}, data: Record<string, string> = {}) => ({ metadata: at(name, more), data })
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'web:1' }] } }
const deployment = (replicas: number) =>
  ({ metadata: at('web'), spec: { replicas, selector: { matchLabels: { app: 'web' } }, template } }) as never
const names = (list: { items: readonly ApiObject[] }) => list.items.map(({ metadata }) => metadata.name)
const failing = async (attempt: Promise<unknown>) => (await attempt.catch((error: unknown) => error)) as StatusError

describe('new objects', () => {
  it('[R1] have nothing that a client says of their identity', async () => {
    const sent = { uid: 'mine', creationTimestamp: '2000-01-01T00:00:00Z', deletionTimestamp: '2000-01-01T00:00:00Z', generation: 7 }
    const { metadata } = await client.create(ConfigMap, configMap('a', sent) as never)
    expect(metadata.uid).not.toBe('mine')
    expect(metadata).toMatchObject({ creationTimestamp: '2026-11-20T12:00:00Z' })
    expect(metadata.deletionTimestamp).toBeUndefined()
    expect((await failing(client.create(ConfigMap, configMap('b', { resourceVersion: '5' })))).message).toBe(
      'resourceVersion should not be set on objects to be created',
    )
  })

  it('[R2] are made once, by whoever came first', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => client.create(ConfigMap, configMap('a', {}, { n: String(n) }))),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const refusals = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [(outcome.reason as StatusError).reason] : []))
    expect(new Set(refusals)).toEqual(new Set(['AlreadyExists']))
  })

  it('[R2] get another generated name where one is taken', async () => {
    const made = await Promise.all(
      Array.from({ length: 50 }, () => client.create(ConfigMap, { metadata: { namespace: 'default', generateName: 'g-' } })),
    )
    expect(new Set(made.map(({ metadata }) => metadata.name)).size).toBe(50)
  })

  it('[R3] stand where the URL says', async () => {
    const made = await client.create(ConfigMap, configMap('a'))
    await expect(client.patch(ConfigMap, at('a'), { type: 'merge', body: { metadata: { name: 'b' } } })).rejects.toThrow(
      'the name of the object (b) does not match the name on the URL (a)',
    )
    await expect(client.patch(ConfigMap, at('a'), { type: 'merge', body: { metadata: { namespace: 'other' } } })).rejects.toThrow(
      'the namespace of the provided object does not match the namespace sent on the request',
    )
    expect((await client.list(ConfigMap)).items).toEqual([made])
  })
})

describe('changes', () => {
  it('[R4] conflict without writing anything', async () => {
    const made = await client.create(ConfigMap, configMap('a', {}, { x: '1' }))
    const after = await client.patch(ConfigMap, at('a'), { type: 'merge', body: { data: { x: '2' } } })
    const stale = { metadata: { resourceVersion: made.metadata.resourceVersion }, data: { y: '1' } }
    expect(await failing(client.patch(ConfigMap, at('a'), { type: 'merge', body: stale }))).toMatchObject({ code: 409, reason: 'Conflict' })
    expect(await client.get(ConfigMap, at('a'))).toBe(after)
  })

  it('[R4] must name a revision where the kind asks for it', async () => {
    await client.create(Lease, { metadata: at('l'), spec: { holderIdentity: 'a' } })
    expect((await failing(client.update(Lease, { metadata: at('l'), spec: { holderIdentity: 'b' } }))).message).toContain(
      'metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    )
  })

  it('[R5] that change nothing are not heard of', async () => {
    const made = await client.create(ConfigMap, configMap('a', {}, { x: '1' }))
    const seen: string[] = []
    const { resourceVersion } = made.metadata
    using _watch = client.watch(
      ConfigMap,
      { namespace: 'default', resourceVersion: resourceVersion! },
      { event: ({ type }) => void seen.push(type), closed() {} },
    )
    await client.update(ConfigMap, configMap('a', {}, { x: '1' }))
    await client.patch(ConfigMap, at('a'), { type: 'merge', body: { data: { x: '1' } } })
    await client.patch(ConfigMap, at('a'), { type: 'merge', body: { data: { x: '2' } } })
    await clock.advance(0)
    expect(seen).toEqual(['MODIFIED'])
  })

  it('[R7] keep what they cannot change', async () => {
    const made = await client.create(Deployment, deployment(1))
    const sent = { ...draft(made), status: { replicas: 9 } }
    sent.metadata = { ...sent.metadata, creationTimestamp: '2000-01-01T00:00:00Z' }
    const updated = await client.update(Deployment, { ...sent, spec: { ...sent.spec, replicas: 2 } } as never)
    expect(updated.metadata).toMatchObject({ uid: made.metadata.uid, creationTimestamp: '2026-11-20T12:00:00Z' })
    expect(updated.status.replicas ?? 0).toBe(0)
    const reported = await client.updateStatus(Deployment, {
      ...draft(updated),
      spec: { ...updated.spec, replicas: 5 },
      status: { replicas: 3 },
    } as never)
    expect([reported.spec.replicas, reported.status.replicas]).toEqual([2, 3])
    const other = { ...draft(reported), metadata: { ...reported.metadata, uid: '00000000-0000-0000-0000-000000000000' } }
    expect(await failing(client.update(Deployment, other as never))).toMatchObject({ reason: 'Conflict' })
  })

  it("of the status alone leave the rest to be the stored object's own, wherever a patch may copy it to", async () => {
    const made = await client.create(Deployment, deployment(1))
    const status = { subresource: 'status' }
    const conditions = [{ type: 'Available', status: 'True' as const }]
    const merged = await client.patch(Deployment, at('web'), { type: 'strategic', body: { status: { conditions } } }, status)
    expect(merged.spec).toBe(made.spec)
    expect(merged.status.conditions).toMatchObject(conditions)
    const copied = { type: 'json' as const, body: [{ op: 'copy' as const, from: '/spec', path: '/status' }] }
    expect((await client.patch(Deployment, at('web'), copied, status)).status).toEqual({ replicas: 1 })
  })

  it('[R8] are counted where they change what is asked for', async () => {
    const generations: (number | undefined)[] = []
    const patch = async (body: object) =>
      generations.push((await client.patch(Deployment, at('web'), { type: 'merge', body })).metadata.generation)
    const made = await client.create(Deployment, deployment(1))
    generations.push(made.metadata.generation)
    await patch({ spec: { replicas: 2 } })
    await patch({ metadata: { labels: { a: 'b' } } })
    await patch({ metadata: { generation: 40 } })
    const status = { ...draft(await client.get(Deployment, at('web'))), status: { replicas: 2 } }
    generations.push((await client.updateStatus(Deployment, status as never)).metadata.generation)
    await client.delete(Deployment, at('web'), { propagationPolicy: 'Foreground' })
    generations.push((await client.get(Deployment, at('web'))).metadata.generation)
    expect(generations).toEqual([1, 2, 2, 2, 2, 3])
  })

  it('[R9] are refused with every broken field, and nothing of them is stored', async () => {
    const before = await client.create(ConfigMap, configMap('a', {}, { x: '1' }))
    const broken = { data: { 'not a key': '1' }, binaryData: { 'nor this': '' }, metadata: { labels: { 'no label!': 'x' } } }
    const error = await failing(client.patch(ConfigMap, at('a'), { type: 'merge', body: broken }))
    expect(error).toMatchObject({ code: 422, reason: 'Invalid' })
    const fields = error.details!.causes!.map(({ field }) => field)
    expect(fields).toEqual(expect.arrayContaining(['metadata.labels', 'data[not a key]', 'binaryData[nor this]']))
    expect(await client.get(ConfigMap, at('a'))).toBe(before)
  })

  it('[R11] are judged as they will be stored, after others have changed them', async () => {
    const stamped = await client.create(ConfigMap, configMap('a', { labels: { stamp: 'sent' } }))
    expect(stamped.metadata.labels).toEqual({ stamp: 'admitted' })
    expect(asked).toEqual(['CREATE admitted'])
    expect((await failing(client.create(ConfigMap, configMap('b', { labels: { spoil: 'yes' } })))).reason).toBe('Invalid')
    expect(asked).toHaveLength(1)
  })

  it('[R11] give back what was allocated when they are refused', async () => {
    await client.create(ConfigMap, configMap('a'))
    expect(ledger).toEqual({ begun: 1, committed: 1, released: 0 })
    await failing(client.create(ConfigMap, configMap('b', { labels: { refuse: 'yes' } })))
    await failing(client.create(ConfigMap, configMap('Not_A_Name')))
    await failing(client.create(ConfigMap, configMap('a')))
    await failing(client.patch(ConfigMap, at('a'), { type: 'merge', body: { metadata: { labels: { refuse: 'yes' } } } }))
    expect(ledger).toEqual({ begun: 5, committed: 1, released: 4 })
    expect(names(await client.list(ConfigMap))).toEqual(['a'])
  })

  it('[R12] of a dry run leave nothing behind', async () => {
    const made = await client.create(ConfigMap, configMap('a', {}, { x: '1' }))
    const patched = await client.patch(ConfigMap, at('a'), { type: 'merge', body: { data: { x: '2' } } }, { dryRun: true })
    expect(patched.data).toEqual({ x: '2' })
    await client.create(ConfigMap, configMap('b'), { dryRun: true })
    expect((await failing(client.create(ConfigMap, configMap('a'), { dryRun: true }))).reason).toBe('AlreadyExists')
    await client.delete(ConfigMap, at('a'), { dryRun: true })
    expect((await client.list(ConfigMap)).items).toEqual([made])
    expect(ledger.begun - ledger.committed).toBe(ledger.released)
  })
})

describe('deletes', () => {
  it('[R13] free the name for another object', async () => {
    const first = await client.create(ConfigMap, configMap('a'))
    await client.delete(ConfigMap, at('a'))
    const second = await client.create(ConfigMap, configMap('a'))
    expect(second.metadata.uid).not.toBe(first.metadata.uid)
    const old = { preconditions: { uid: first.metadata.uid! } }
    expect((await failing(client.delete(ConfigMap, at('a'), old))).reason).toBe('Conflict')
    expect(await client.get(ConfigMap, at('a'))).toBe(second)
  })

  it('[R14] cannot be held up by finalizers that come too late', async () => {
    await client.create(ConfigMap, configMap('a', { finalizers: ['example.com/one'] }))
    await client.delete(ConfigMap, at('a'))
    const late = { metadata: { finalizers: ['example.com/one', 'example.com/two'] } }
    const error = await failing(client.patch(ConfigMap, at('a'), { type: 'merge', body: late }))
    expect(error.message).toContain('metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted')
    await client.patch(ConfigMap, at('a'), { type: 'merge', body: { metadata: { deletionTimestamp: null } } }).catch(() => undefined)
    expect((await client.get(ConfigMap, at('a'))).metadata.deletionTimestamp).toBe('2026-11-20T12:00:00Z')
  })

  it('[R16] hold to the revision that was named', async () => {
    const made = await client.create(ConfigMap, configMap('a'))
    await client.patch(ConfigMap, at('a'), { type: 'merge', body: { data: { x: '1' } } })
    const stale = { preconditions: { resourceVersion: made.metadata.resourceVersion! } }
    expect((await failing(client.delete(ConfigMap, at('a'), stale))).message).toContain('The object might have been modified')
    const { resourceVersion } = (await client.get(ConfigMap, at('a'))).metadata
    await client.delete(ConfigMap, at('a'), { preconditions: { resourceVersion: resourceVersion! } })
    expect((await failing(client.get(ConfigMap, at('a')))).reason).toBe('NotFound')
  })

  it.each([
    ['Orphan', ['orphan']],
    ['Foreground', ['foregroundDeletion']],
    ['Background', undefined],
  ] as const)('[R17] keep what is to become of the dependents: %s', async (propagationPolicy, finalizers) => {
    await client.create(ConfigMap, configMap('a'))
    await client.delete(ConfigMap, at('a'), { propagationPolicy })
    const left = await client.get(ConfigMap, at('a')).catch(() => undefined)
    expect(left?.metadata.finalizers).toEqual(finalizers)
  })

  it('[R18] of a collection take what was selected', async () => {
    for (const name of ['a', 'b', 'c']) await client.create(ConfigMap, configMap(name, { labels: { old: String(name !== 'b') } }))
    await client.create(ConfigMap, { metadata: { namespace: 'other', name: 'z', labels: { old: 'true' } } })
    await client.deleteCollection(ConfigMap, { namespace: 'default', labelSelector: 'old=true' })
    expect(names(await client.list(ConfigMap))).toEqual(['b', 'z'])
  })
})

describe('reads', () => {
  it('[R19] show the write that was answered before', async () => {
    await client.create(ConfigMap, configMap('a'))
    for (let count = 0; count < 50; count++) {
      await client.patch(ConfigMap, at('a'), { type: 'merge', body: { data: { count: String(count) } } })
      expect((await client.get(ConfigMap, at('a'))).data).toEqual({ count: String(count) })
      expect((await client.list(ConfigMap)).items[0]!.data).toEqual({ count: String(count) })
    }
  })

  it('[R20] show one revision, whatever is written while pages are read', async () => {
    for (let n = 10; n < 40; n++) await client.create(ConfigMap, configMap(`n${n}`))
    const seen: (string | undefined)[] = []
    let token: string | undefined
    const revisions = new Set<string | undefined>()
    for (let page = 0; page === 0 || token; page++) {
      const list = await client.list(ConfigMap, { namespace: 'default', limit: 7, ...(token ? { continue: token } : {}) })
      seen.push(...names(list))
      revisions.add(list.metadata.resourceVersion)
      token = list.metadata.continue
      await client.delete(ConfigMap, at(`n${39 - page}`))
      await client.create(ConfigMap, configMap(`n${10 + page}x`))
    }
    expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => `n${10 + index}`))
    expect(revisions.size).toBe(1)
  })

  it('[R21] of a past that is forgotten answer 410', async () => {
    const { metadata } = await client.create(ConfigMap, configMap('a'))
    for (let n = 0; n < 150; n++) {
      await client.patch(ConfigMap, at('a'), { type: 'merge', body: { data: { n: String(n) } } })
      await clock.advance(1000)
    }
    await store.compact(Number((await client.get(ConfigMap, at('a'))).metadata.resourceVersion))
    const past = { resourceVersion: metadata.resourceVersion!, resourceVersionMatch: 'Exact' as const }
    expect(await failing(client.list(ConfigMap, past))).toMatchObject({ code: 410 })
  })

  it('[R21] of a revision to come wait a little, and then say so', async () => {
    await client.create(ConfigMap, configMap('a'))
    const reading = failing(client.get(ConfigMap, at('a'), { resourceVersion: '1000000' }))
    await clock.advance(3_100)
    expect(await reading).toMatchObject({ code: 504, reason: 'Timeout' })
  })

  it('[R22] show the same object in every version, and lose nothing that only another version says', async () => {
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
    const memory = { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 60 } } }
    const made = await client.create(AutoscalerV2, {
      metadata: at('web'),
      spec: {
        scaleTargetRef,
        minReplicas: 1,
        maxReplicas: 5,
        metrics: [memory],
        behavior: { scaleDown: { stabilizationWindowSeconds: 42 } },
      },
    } as never)
    const old = await client.get(AutoscalerV1, at('web'))
    expect(old.metadata).toMatchObject({ uid: made.metadata.uid, resourceVersion: made.metadata.resourceVersion })
    await client.update(AutoscalerV1, { ...draft(old), spec: { ...old.spec, maxReplicas: 9 } } as never)
    const now = await client.get(AutoscalerV2, at('web'))
    expect(now.spec).toMatchObject({ maxReplicas: 9, metrics: [memory], behavior: { scaleDown: { stabilizationWindowSeconds: 42 } } })
    expect(now.metadata.uid).toBe(made.metadata.uid)
  })
})
