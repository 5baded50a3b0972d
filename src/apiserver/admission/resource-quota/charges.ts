import type { Container } from '#kinds/core/v1/container.ts'
import type { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { claimUsage, isInScope, podUsage, serviceUsage, type Usage } from '#kinds/core/v1/resource-quota.facts.ts'
import type { ResourceQuota } from '#kinds/core/v1/resource-quota.ts'
import type { Service } from '#kinds/core/v1/service.ts'
import { COMPUTE_RESOURCES, COUNTED_KINDS } from '#kinds/core/v1/standard-resources.facts.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import type { AdmissionRequest } from '../admission.ts'

/** How writes of one kind count against quotas. */
export interface Meter {
  /** Whether a write can change what is used. */
  handles(request: AdmissionRequest): boolean
  /** Whether a name of a quota is about objects of this kind. */
  covers(name: string): boolean
  usage(object: ApiObject, now: number): Usage
  /** What is wrong with an object of which some names are limited. */
  missing?(object: ApiObject, limited: readonly string[]): string | undefined
}

/** The meter of the request's kind. */
export function meterOf({ kind }: AdmissionRequest): Meter | undefined {
  if (IGNORED.has(kind.plural)) return undefined
  if (kind.group === '') {
    if (kind.kind === 'Pod') return POD
    if (kind.kind === 'Service') return SERVICE
    if (kind.kind === 'PersistentVolumeClaim') return CLAIM
  }
  const name = kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`
  const names = [`count/${name}`, ...(kind.group === '' && COUNTED_KINDS.has(kind.plural) ? [kind.plural] : [])]
  return {
    handles: ({ operation, subresource }) => operation === 'CREATE' && subresource === '',
    covers: limited => names.includes(limited),
    usage: () => new Map(names.map(counted => [counted, Quantity.of(1)])),
  }
}

/** What a write adds to what `quota` limits, by name; nothing if the quota does not care. Names in order. */
export function chargeOf(meter: Meter, quota: ResourceQuota, request: AdmissionRequest, now: number): Map<string, Quantity> {
  const limited = limitedNames(meter, quota)
  const object = request.object as ApiObject
  const after = meter.usage(object, now)
  const before = request.old && isInScope(quota, request.old) ? meter.usage(request.old, now) : NOTHING
  const charge = new Map<string, Quantity>()
  for (const name of limited) {
    const more = (after.get(name) ?? Quantity.ZERO).subtract(before.get(name) ?? Quantity.ZERO)
    if (more.sign > 0) charge.set(name, more)
  }
  return charge
}

/** The names of what the quota limits of objects of the kind. */
export function limitedNames(meter: Meter, { status }: ResourceQuota): string[] {
  return Object.keys(status.hard ?? {})
    .filter(name => meter.covers(name))
    .sort()
}

/** Whether the quota limits anything of the object. */
export function isPertinent(meter: Meter, quota: ResourceQuota, object: ApiObject): boolean {
  return limitedNames(meter, quota).length > 0 && isInScope(quota, object)
}

const NOTHING: Usage = new Map()
const IGNORED = new Set(['events', 'bindings'])

const isWrite = (operation: string) => operation === 'CREATE' || operation === 'UPDATE'

const POD: Meter = {
  handles: ({ operation, subresource }) =>
    (operation === 'CREATE' && subresource === '') || (operation === 'UPDATE' && subresource === 'resize'),
  covers: name => POD_NAMES.has(name) || name.startsWith('hugepages-') || (name.startsWith('requests.') && name !== 'requests.storage'),
  usage: (object, now) => podUsage(object as Pod, now),
  missing(object, limited) {
    const asked = limited.filter(name => MUST_BE_SAID.has(name))
    const { containers, initContainers = [], resources } = (object as Pod).spec
    if (resources) return undefined
    const silent = asked.flatMap(name => {
      const names = [...containers, ...initContainers].filter(container => !says(container, name)).map(container => container.name)
      return names.length > 0 ? [`${name} for: ${[...new Set(names)].sort().join(',')}`] : []
    })
    return silent.length > 0 ? `must specify ${silent.join('; ')}` : undefined
  },
}

const SERVICE: Meter = {
  handles: ({ operation, subresource }) => subresource === '' && isWrite(operation),
  covers: name => SERVICE_NAMES.has(name),
  usage: object => serviceUsage(object as Service),
}

const CLAIM: Meter = {
  handles: ({ operation, subresource }) => isWrite(operation) && (subresource === '' || subresource === 'status'),
  covers: name => CLAIM_NAMES.has(name) || name.includes('.storageclass.storage.k8s.io/'),
  usage: object => claimUsage(object as PersistentVolumeClaim),
}

const POD_NAMES = new Set(['count/pods', 'pods', ...COMPUTE_RESOURCES])
const SERVICE_NAMES = new Set(['count/services', 'services', 'services.nodeports', 'services.loadbalancers'])
const CLAIM_NAMES = new Set(['count/persistentvolumeclaims', 'persistentvolumeclaims', 'requests.storage'])

/** Where these are limited, every container has to say how much it takes. */
const MUST_BE_SAID = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])

function says({ resources }: Container, name: string): boolean {
  const dot = name.indexOf('.')
  const list = name.startsWith('limits.') ? resources.limits : resources.requests
  return list?.[name.slice(dot + 1)] !== undefined
}
