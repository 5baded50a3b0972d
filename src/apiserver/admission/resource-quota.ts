import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { ResourceQuota } from '#kinds/core/v1/resource-quota.ts'
import { draft } from '#machinery/kind/draft.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import { forbidden, internalError } from '#machinery/status/failures.ts'
import { reasonOf } from '#machinery/status/status-error.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { chargeOf, isPertinent, limitedNames, type Meter, meterOf } from './resource-quota/charges.ts'
import { type ResourceQuotaConfiguration, uncovered } from './resource-quota/configuration.ts'

export interface ResourceQuotaOptions {
  informers(): Informers
  /** Writes what is charged. */
  client(): Client
  readonly clock: Clock
  /** What may be used only where a quota covers it; absent: nothing. */
  readonly configured?: ResourceQuotaConfiguration | undefined
}

/** How often a charge is tried again when others charge at the same time. */
const ATTEMPTS = 100

/**
 * Refuses what a quota of the namespace has no room for. What is granted is charged to the quota's status before the object is stored, by a
 * write that fails if somebody else was faster: two requests never get the same room. What became free is for the controller to notice.
 */
export function resourceQuota({ informers, client, clock, configured }: ResourceQuotaOptions): AdmissionPlugin {
  return {
    name: 'ResourceQuota',
    async validate(request) {
      const { namespace, object, kind, dryRun } = request
      if (namespace === '' || !object || kind.scope === 'Cluster') return
      const meter = meterOf(request)
      if (!meter?.handles(request)) return
      const quotas = informers().of(ResourceQuota).list(namespace)
      const pertinent = quotas.filter(quota => isPertinent(meter, quota, object as ApiObject))
      if (configured) {
        const covered = new Set(pertinent.flatMap(quota => limitedNames(meter, quota)))
        const why = uncovered(configured, kind, object as ApiObject, {
          usage: meter.usage(object as ApiObject, clock.now()),
          quotas,
          covered,
        })
        if (why) throw forbidden({ group: kind.group, resource: kind.plural }, object.metadata.name ?? '', why)
      }
      const charged = pertinent.filter(quota => check(meter, quota, request, clock.now()) !== undefined)
      if (dryRun) return
      for (const quota of inOrder(charged)) await charge(client(), clock, meter, quota, request)
    },
  }
}

/** Charges one quota, by its newest state. */
async function charge(client: Client, clock: Clock, meter: Meter, first: ResourceQuota, request: AdmissionRequest): Promise<void> {
  let quota = first
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const used = isPertinent(meter, quota, request.object as ApiObject) ? check(meter, quota, request, clock.now()) : undefined
    if (!used) return
    const next = draft(quota)
    next.status.used = used
    try {
      await client.updateStatus(ResourceQuota, next)
      return
    } catch (error) {
      if (reasonOf(error) === 'NotFound') return
      if (reasonOf(error) !== 'Conflict') throw error
    }
    try {
      quota = await client.get(ResourceQuota, first)
    } catch (error) {
      if (reasonOf(error) === 'NotFound') return
      throw error
    }
  }
  throw internalError(new Error(`resource quota ${first.metadata.name} changed too often to be charged, please try again`))
}

/** What the quota's use would be; undefined if it stays as it is. Throws if there is no room. */
function check(meter: Meter, quota: ResourceQuota, request: AdmissionRequest, now: number): Record<string, string> | undefined {
  const { kind, object } = request
  const { name = '' } = quota.metadata
  const refuse = (why: string) => forbidden({ group: kind.group, resource: kind.plural }, object?.metadata.name ?? '', why)
  const limited = limitedNames(meter, quota)
  const missing = meter.missing?.(object as ApiObject, limited)
  if (missing) throw refuse(`failed quota: ${name}: ${missing}`)
  const { hard = {}, used = {} } = quota.status
  if (limited.some(each => used[each] === undefined)) throw refuse(`status unknown for quota: ${name}, resources: ${limited.join(',')}`)
  const charges = chargeOf(meter, quota, request, now)
  if (charges.size === 0) return undefined
  const after = { ...used }
  const exceeded: string[] = []
  for (const [each, more] of charges) {
    const total = Quantity.parse(used[each]!).add(more)
    after[each] = total.toString()
    if (total.compare(Quantity.parse(hard[each]!)) > 0) exceeded.push(each)
  }
  if (exceeded.length === 0 || request.subresource === 'status') return after
  const list = (amountOf: (each: string) => string) => exceeded.map(each => `${each}=${amountOf(each)}`).join(',')
  const requested = list(each => charges.get(each)!.toString())
  throw refuse(
    `exceeded quota: ${name}, requested: ${requested}, used: ${list(each => used[each]!)}, limited: ${list(each => hard[each]!)}`,
  )
}

/** Everybody charges in the same order, so that whoever is refused late has charged little in vain. */
function inOrder(quotas: readonly ResourceQuota[]): ResourceQuota[] {
  return [...quotas].sort((left, right) => ((left.metadata.name ?? '') < (right.metadata.name ?? '') ? -1 : 1))
}
