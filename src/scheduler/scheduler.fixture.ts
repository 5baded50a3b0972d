import { expect } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { Client, WatchSink } from '#client/client.ts'
import { informers } from '#client/informers/informers.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { decode } from '#machinery/schema/decode.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { type SchedulerOptions, startScheduler } from './scheduler.ts'

export type Parts = Record<string, unknown>

export const node = (name: string, more: { labels?: Parts; spec?: Parts; status?: Parts; cpu?: string; pods?: string } = {}) => ({
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...more.labels } },
  spec: more.spec ?? {},
  status: { allocatable: { cpu: more.cpu ?? '2', memory: '4Gi', pods: more.pods ?? '110' }, ...more.status },
})
export const pod = (name: string, spec: Parts = {}, labels: Parts = {}) => ({
  metadata: { name, namespace: 'a', uid: `uid-${name}`, labels },
  spec: { containers: [{ name: 'c', image: 'i:1' }], ...spec },
})
export const requesting = (cpu: string) => ({ containers: [{ name: 'c', image: 'i:1', resources: { requests: { cpu } } }] })

/** An object as the API server would hold it. */
export function stored<O = ApiObject>(kind: AnyKind, object: object): O {
  return decode(kind.schema, object, { defaults: true, unknown: [] }) as unknown as O
}

export interface ClusterMore {
  readonly objects?: readonly (readonly [AnyKind, object])[]
  readonly options?: Partial<SchedulerOptions>
  /** How long pods take to end once they are deleted. */
  readonly graceMs?: number
  /** How long the API server takes to patch or to delete. */
  readonly latencyMs?: number
  /** How many deletes the API server refuses first. */
  readonly failingDeletes?: number
}

/** A cluster of what is given, with a scheduler; bindings and patches come back as an API server would send them. */
export async function cluster(nodes: readonly object[], pods: readonly object[], more: ClusterMore = {}) {
  const clock = virtualClock()
  const sinks = new Map<AnyKind, WatchSink<ApiObject>>()
  const all = new Map<string, ApiObject>()
  const events: string[] = []
  let revision = 1
  let failing = more.failingDeletes ?? 0
  const store = (kind: AnyKind, object: object, type: 'ADDED' | 'MODIFIED' | 'DELETED') => {
    const value = stored<ApiObject & { metadata: { resourceVersion: string } }>(kind, object)
    value.metadata.resourceVersion = String(++revision)
    const key = `${kind.kind}/${value.metadata.name}`
    if (type === 'DELETED') all.delete(key)
    else all.set(key, value)
    sinks.get(kind)?.event({ type, object: value })
  }
  const answered = () => (more.latencyMs ? new Promise<void>(resolve => clock.after(more.latencyMs!, resolve)) : undefined)
  const client = {
    list: async (kind: AnyKind) => ({
      metadata: { resourceVersion: String(revision) },
      items: [...all].filter(([key]) => key.startsWith(`${kind.kind}/`)).map(([, object]) => object),
    }),
    watch(kind: AnyKind, _options: object, sink: WatchSink<ApiObject>) {
      sinks.set(kind, sink)
      return { [Symbol.dispose]: () => sinks.delete(kind) }
    },
    async subresource(_kind: AnyKind, name: Pod, { body }: { body: { target: { name: string } } }) {
      const now = all.get(`Pod/${name.metadata.name}`) as Pod
      store(Pod, { ...now, spec: { ...now.spec, nodeName: body.target.name } }, 'MODIFIED')
    },
    async patch(kind: AnyKind, name: Pod, { body }: { body: object }) {
      await answered()
      const now = all.get(`${kind.kind}/${name.metadata.name}`)
      if (now) store(kind, merged(now, body) as object, 'MODIFIED')
      return all.get(`${kind.kind}/${name.metadata.name}`)
    },
    async delete(kind: AnyKind, name: Pod) {
      await answered()
      if (failing-- > 0) throw new StatusError({ code: 500, reason: 'InternalError', message: 'not now' })
      const now = all.get(`${kind.kind}/${name.metadata.name}`) as Pod
      if (!more.graceMs) return store(kind, now, 'DELETED')
      store(kind, { ...now, metadata: { ...now.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }, 'MODIFIED')
      clock.after(more.graceMs, () => store(kind, now, 'DELETED'))
    },
  } as unknown as Client
  for (const [kind, object] of more.objects ?? []) store(kind, object, 'ADDED')
  for (const one of nodes) store(Node, one, 'ADDED')
  for (const one of pods) store(Pod, one, 'ADDED')
  const shared = informers({ client, clock, log: silentLogger })
  const scheduler = await startScheduler({
    client,
    informers: shared,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    events: { record: (_about, _type, reason, message) => events.push(`${reason}: ${message}`) },
    ...more.options,
  })
  await clock.advance(0)
  const find = <O = Pod>(name: string, kind: AnyKind = Pod) => all.get(`${kind.kind}/${name}`) as O
  return {
    clock,
    events,
    store,
    find,
    scheduler,
    nodeOf: (name: string) => find(name)?.spec.nodeName,
    async [Symbol.asyncDispose]() {
      await scheduler.stop()
      await shared[Symbol.asyncDispose]()
      expect(clock.pending()).toBe(0)
    },
  }
}

/** A merge patch. */
function merged(value: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> = { ...(value as object) }
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) delete result[key]
    else if (change !== undefined) result[key] = merged(result[key], change)
  }
  return result
}
