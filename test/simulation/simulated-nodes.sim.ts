import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ApiServer, createApiServer } from '#apiserver/api-server.ts'
import { alwaysAllow } from '#apiserver/authorization/always.ts'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import { directClient } from '#client/direct/direct-client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { informers } from '#client/informers/informers.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { isReady as isNodeReady } from '#kinds/core/v1/node.facts.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { isReady } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { type SimulatedNodes, startSimulatedNodes } from '#kubelet/runtime/simulated/simulated-nodes.ts'
import { simulation } from '#kubelet/runtime/simulated/simulated-pod.plan.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'

let clock: VirtualClock
let store: MemoryStore
let server: ApiServer
let client: Client
let caches: Informers
let nodes: SimulatedNodes

beforeEach(async () => {
  clock = virtualClock()
  store = new MemoryStore({ clock })
  server = createApiServer({ store, kinds: builtInKinds, clock, random: seededRandom(1), log: silentLogger, authorizer: alwaysAllow })
  await server.ready()
  client = directClient(server.handler, { user: { name: 'admin', groups: ['system:masters'] } })
  for (const name of ['default', 'kube-node-lease']) await client.create(Namespace, { metadata: { name } }).catch(() => undefined)
  caches = informers({ client, clock, log: silentLogger })
  nodes = startSimulatedNodes({ names: ['n1', 'n2', 'n3'], client, informers: caches, clock, log: silentLogger })
  await nodes.ready
})

afterEach(async () => {
  await nodes.stop()
  await caches[Symbol.asyncDispose]()
  await server.stop()
  await store.close()
})

const run = (name: string, annotations: Record<string, string> = {}, restartPolicy: 'Always' | 'Never' = 'Always') =>
  client.create(Pod, {
    metadata: { name, namespace: 'default', annotations },
    spec: { nodeName: 'n2', restartPolicy, containers: [{ name: 'main', image: 'any' }] },
  })
const get = (name: string) => client.get(Pod, { namespace: 'default', name })

describe('simulated nodes', () => {
  it('are registered, Ready, and renew their leases', async () => {
    const list = await client.list(Node)
    expect(list.items.map(node => [node.metadata.name, isNodeReady(node)])).toEqual([
      ['n1', true],
      ['n2', true],
      ['n3', true],
    ])
    const lease = () => client.get(Lease, { namespace: 'kube-node-lease', name: 'n3' })
    const before = await lease()
    await clock.advance(11_000)
    expect(Date.parse((await lease()).spec.renewTime!)).toBeGreaterThan(Date.parse(before.spec.renewTime!))
  })

  it('run pods at once', async () => {
    await run('web')
    await clock.advance(100)
    const pod = await get('web')
    expect(isReady(pod)).toBe(true)
    expect(pod.status).toMatchObject({ phase: 'Running', podIP: '10.128.1.2', qosClass: 'BestEffort' })
    expect(pod.status.containerStatuses?.[0]).toMatchObject({ ready: true, state: { running: {} } })
  })

  it('end pods that are to end, with the exit code that is asked for', async () => {
    await run('good', {}, 'Never')
    await run('bad', { [simulation.completesAfterSeconds]: '30', [simulation.exitCode]: '3' }, 'Never')
    await clock.advance(2000)
    expect((await get('good')).status.phase).toBe('Succeeded')
    expect((await get('bad')).status.phase).toBe('Running')
    await clock.advance(30_000)
    const bad = await get('bad')
    expect(bad.status.phase).toBe('Failed')
    expect(bad.status.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 3, reason: 'Error' })
  })

  it('become ready when they are told to', async () => {
    await run('slow', { [simulation.readyAfterSeconds]: '5' })
    await clock.advance(1000)
    expect(isReady(await get('slow'))).toBe(false)
    await clock.advance(5000)
    expect(isReady(await get('slow'))).toBe(true)
  })

  it('let go of deleted pods', async () => {
    await run('web')
    await clock.advance(100)
    await client.delete(Pod, { namespace: 'default', name: 'web' })
    await clock.advance(100)
    expect(await get('web').catch(isNotFound)).toBe(true)
  })

  it('see that a pod goes which the server has only come to mark', async () => {
    await run('web')
    await clock.advance(100)
    const pod = await get('web')
    const marked = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-11-20T12:00:00Z', deletionGracePeriodSeconds: 0 } }
    const value = new TextEncoder().encode(JSON.stringify(marked))
    await store.txn({ success: [{ type: 'put', key: '/registry/pods/default/web', value }] })
    expect((await get('web')).metadata.deletionTimestamp).toBeDefined()
    await clock.advance(2000)
    expect(await get('web').catch(isNotFound)).toBe(true)
  })

  it('leave no timer behind', async () => {
    await nodes.stop()
    const before = clock.pending()
    await clock.advance(60_000)
    expect(clock.pending()).toBeLessThanOrEqual(before)
  })
})
