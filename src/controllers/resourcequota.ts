import type { Informer } from '#client/informers/informer.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { addUsage, claimUsage, isInScope, podUsage, serviceUsage, type Usage } from '#kinds/core/v1/resource-quota.facts.ts'
import { ResourceQuota } from '#kinds/core/v1/resource-quota.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { COUNTED_KINDS } from '#kinds/core/v1/standard-resources.facts.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import type { Controller, ControllerContext } from './runtime/controller.ts'
import { defineController, status } from './runtime/define-controller.ts'
import { keyOf } from './runtime/keys.ts'
import { untilAborted } from './runtime/until-aborted.ts'
import { mapped } from './runtime/watches.ts'

/** Counts what each namespace uses of what its quotas limit. Admission refuses what is too much; here what became free is noticed. */
export const resourceQuotaController: Controller = {
  name: 'resourcequota-controller',
  run: context => quotas(new CountedKinds(context)).run(context),
}

const ofNamespace = (object: ApiObject, quotas: Informer): readonly ApiObject[] => quotas.list(object.metadata.namespace ?? '')

/** What admission has charged may not be stored yet: room is given back once a quota has stood still for so long. */
const SETTLE_MS = 1000

function quotas(counted: CountedKinds) {
  const still = new Map<string, { readonly revision: string | undefined; readonly since: number }>()
  /** Milliseconds until a quota as it is has stood still for long enough. */
  const restless = ({ metadata: { uid = '', resourceVersion } }: ResourceQuota, now: number): number => {
    const seen = still.get(uid)
    if (seen?.revision === resourceVersion) return Math.max(0, seen!.since + SETTLE_MS - now)
    still.set(uid, { revision: resourceVersion, since: now })
    return SETTLE_MS
  }
  return defineController({
    name: 'resourcequota-controller',
    reconciles: ResourceQuota,
    watches: [
      mapped(Pod, (pod, { reconciled }) => ofNamespace(pod, reconciled)),
      mapped(Service, (service, { reconciled }) => ofNamespace(service, reconciled)),
      mapped(PersistentVolumeClaim, (claim, { reconciled }) => ofNamespace(claim, reconciled)),
    ],
    writes: [status(ResourceQuota)],
    resyncMs: 300_000,
    triggers: due => counted.tell(due),
    async reconcile(quota, tools) {
      const { namespace = '' } = quota.metadata
      const hard = quota.spec.hard ?? {}
      const used = new Map<string, Quantity>()
      const add = <O extends ApiObject>(objects: readonly O[], usageOf: (object: O) => Usage) => {
        for (const object of objects) if (isInScope(quota, object)) addUsage(used, usageOf(object))
      }
      const names = Object.keys(hard)
      if (names.some(isOfPods)) add(tools.list(Pod, { namespace }), pod => podUsage(pod, tools.now))
      add(tools.list(Service, { namespace }), serviceUsage)
      add(tools.list(PersistentVolumeClaim, { namespace }), claimUsage)
      for (const name of names) {
        if (used.has(name)) continue
        const count = isScoped(quota) ? undefined : await counted.count(name, namespace, tools.signal)
        if (count !== undefined) used.set(name, Quantity.of(count))
      }
      const before = quota.status.used ?? {}
      const isFreed = (name: string) => isLess(used.get(name) ?? Quantity.ZERO, before[name])
      const waitMs = names.some(isFreed) ? restless(quota, tools.now) : 0
      if (waitMs > 0) tools.again(waitMs)
      else still.delete(quota.metadata.uid ?? '')
      const amount = (name: string) => (waitMs > 0 && isFreed(name) ? before[name]! : (used.get(name) ?? Quantity.ZERO).toString())
      const result = Object.fromEntries(names.map(name => [name, amount(name)]))
      await tools.updateStatus(ResourceQuota, quota, { hard, used: result })
    },
  })
}

function isLess(amount: Quantity, than: string | undefined): boolean {
  return than !== undefined && amount.compare(Quantity.parse(than)) < 0
}

const isScoped = ({ spec }: ResourceQuota) => (spec.scopes?.length ?? 0) > 0 || spec.scopeSelector !== undefined

/** Everything but objects of other kinds is asked of pods. */
function isOfPods(name: string): boolean {
  return name === 'pods' || name === 'count/pods' || !(name.startsWith('count/') || COUNTED_KINDS.has(name) || name.startsWith('services.'))
}

/** Caches of further kinds, started when the first quota counts them; what goes makes the quotas of its namespace due. */
class CountedKinds {
  readonly #context: ControllerContext
  readonly #watched = new Map<AnyKind, Disposable>()
  #due: (key: string) => void = () => {}

  constructor(context: ControllerContext) {
    this.#context = context
  }

  /** Has `due` called with the keys of quotas whose counts may have changed. */
  tell(due: (key: string) => void): Disposable {
    this.#due = due
    return {
      [Symbol.dispose]: () => {
        for (const subscription of this.#watched.values()) subscription[Symbol.dispose]()
        this.#watched.clear()
      },
    }
  }

  /** How many objects the quota's name means: `configmaps`, `count/deployments.apps`; undefined if it means no kind that is served. */
  async count(name: string, namespace: string, signal: AbortSignal): Promise<number | undefined> {
    const kind = this.#kindOf(name)
    if (!kind) return undefined
    const cache = this.#context.informers.of(kind) as unknown as Informer
    await untilAborted(cache.synced(), signal)
    if (!this.#watched.has(kind)) {
      const quotas = this.#context.informers.of(ResourceQuota)
      const subscription = cache.onChange((object, old) => {
        if (object && old) return
        for (const quota of quotas.list((object ?? old)!.metadata.namespace ?? '')) this.#due(keyOf(quota))
      })
      this.#watched.set(kind, subscription)
    }
    return cache.list(namespace).length
  }

  #kindOf(name: string): AnyKind | undefined {
    const resource = name.startsWith('count/') ? name.slice('count/'.length) : COUNTED_KINDS.has(name) ? name : undefined
    if (resource === undefined) return undefined
    const dot = resource.indexOf('.')
    const [plural, group] = dot < 0 ? [resource, ''] : [resource.slice(0, dot), resource.slice(dot + 1)]
    for (const kind of this.#context.kinds.stored()) {
      if (kind.plural === plural && kind.group === group && kind.scope === 'Namespaced') return kind
    }
    return undefined
  }
}
