import { exponentialBounds } from '#base/metrics/labelled-series.ts'
import { topologyOf } from '#kinds/core/v1/node.facts.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { podCondition } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { hasCause, isNotFound } from '#machinery/status/status-error.ts'
import { showSlices } from './endpoint-slice-gauges.ts'
import { changedSlice, isLabelled, MANAGED_BY, MANAGER, planSlices, SERVICE_NAME, sliceFrom } from './endpointslice.plan.ts'
import type { Controller } from './runtime/controller.ts'
import { counter, histogram } from './runtime/controller-metrics.ts'
import { defineController, whole } from './runtime/define-controller.ts'
import { keyOf } from './runtime/keys.ts'
import { textOfError } from './runtime/text-of-error.ts'
import type { Watch } from './runtime/watches.ts'
import { mapped } from './runtime/watches.ts'
import { hasSelector, isEndpointChange, serviceSelector, servicesFor } from './service-endpoints.ts'

const BY_SERVICE = 'sliceOfService'
const BY_NODE = 'podOnNode'

const perSync = exponentialBounds(2, 2, 15)
const added = histogram('endpoint_slice_controller_endpoints_added_per_sync', 'Number of endpoints added on each Service sync', [], perSync)
const removed = histogram(
  'endpoint_slice_controller_endpoints_removed_per_sync',
  'Number of endpoints removed on each Service sync',
  [],
  perSync,
)
const changes = counter('endpoint_slice_controller_changes', 'Number of EndpointSlice changes', ['operation'])
const syncs = counter('endpoint_slice_controller_syncs', 'Number of EndpointSlice syncs', ['result'])

const slices = defineController({
  name: 'endpointslice-controller',
  reconciles: Service,
  watches: [
    podsBehindServices({ [BY_NODE]: pod => [(pod as Pod).spec.nodeName ?? ''] }),
    mapped(EndpointSlice, slice => (isOurs(slice) ? [serviceKey(slice)] : []), {
      [BY_SERVICE]: slice => (isOurs(slice) ? [serviceKey(slice)] : []),
    }),
    {
      kind: Node,
      // Only the zone of a node matters here, and nodes change all the time.
      noticed({ object, old }, { cacheOf }, due) {
        const [node, before] = [object as Node | undefined, old as Node | undefined]
        if (node && before && topologyOf(node).zone === topologyOf(before).zone) return
        for (const pod of cacheOf(Pod).byIndex(BY_NODE, (node ?? before)!.metadata.name ?? ''))
          for (const service of servicesFor(cacheOf(Service).list(pod.metadata.namespace), pod.metadata.labels)) due(keyOf(service))
      },
    },
  ],
  writes: [whole(EndpointSlice)],
  async reconcile(service, tools) {
    const { client, list, get, events, metrics } = tools
    if (service.metadata.deletionTimestamp || service.spec.type === 'ExternalName' || !hasSelector(service)) return
    const { namespace = '' } = service.metadata
    const pods = list(Pod, { namespace, selector: serviceSelector(service) })
    const present = list(EndpointSlice, { index: [BY_SERVICE, keyOf(service)] }).filter(slice => !slice.metadata.deletionTimestamp)
    const plan = planSlices(service, pods, present, name => get(Node, '', name))
    const changedAt = lastChange(pods)
    const untouched = present.filter(slice => !plan.delete.includes(slice) && !plan.update.some(update => update.slice === slice))
    const relabel = untouched.filter(slice => !isLabelled(service, slice)).map(slice => ({ slice, endpoints: slice.endpoints ?? [] }))
    try {
      for (const draft of plan.create) {
        await client.create(EndpointSlice, sliceFrom(service, draft, changedAt))
        metrics.count(changes, ['create'])
      }
      for (const { slice, endpoints } of [...plan.update, ...relabel]) {
        await client.update(EndpointSlice, changedSlice(service, slice, endpoints, changedAt))
        metrics.count(changes, ['update'])
      }
      for (const slice of plan.delete) {
        await client.delete(EndpointSlice, slice, { preconditions: { uid: slice.metadata.uid } }).catch(error => {
          if (!isNotFound(error)) throw error
        })
        metrics.count(changes, ['delete'])
      }
      const [before, after] = [addressesOf(present), addressesOf([...untouched, ...plan.create, ...plan.update])]
      metrics.observe(added, [], [...after].filter(address => !before.has(address)).length)
      metrics.observe(removed, [], [...before].filter(address => !after.has(address)).length)
      metrics.count(syncs, ['success'])
    } catch (error) {
      metrics.count(syncs, ['error'])
      if (hasCause(error, 'NamespaceTerminating')) return
      const message = `Error updating Endpoint Slices for Service ${namespace}/${service.metadata.name}: ${textOfError(error)}`
      events.record(service, 'Warning', 'FailedToUpdateEndpointSlices', message)
      throw error
    }
  },
})

/** Lists the pods behind every Service, in slices of up to 100. */
export const endpointSliceController: Controller & Pick<typeof slices, 'definition'> = {
  ...slices,
  run(context) {
    showSlices(context, 'endpoint_slice_controller', isOurs)
    return slices.run(context)
  },
}

/** Pods, whose changes matter to the services that select them before or after. */
export function podsBehindServices(indexes: Watch['indexes'] = {}): Watch {
  return {
    kind: Pod,
    indexes: indexes ?? {},
    noticed({ object, old }, { cacheOf }, due) {
      const [pod, before] = [object as Pod | undefined, old as Pod | undefined]
      if (!isEndpointChange(pod, before)) return
      const services = cacheOf(Service).list((pod ?? before)!.metadata.namespace)
      if (pod) for (const service of servicesFor(services, pod.metadata.labels)) due(keyOf(service))
      if (before && before.metadata.labels !== pod?.metadata.labels)
        for (const service of servicesFor(services, before.metadata.labels)) due(keyOf(service))
    },
  }
}

/** The addresses of all endpoints of some slices. */
function addressesOf(slices: readonly { readonly endpoints?: readonly { readonly addresses: readonly string[] }[] | null }[]): Set<string> {
  return new Set(slices.flatMap(({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses)))
}

const isOurs = ({ metadata }: EndpointSlice) => metadata.labels?.[MANAGED_BY] === MANAGER

const serviceKey = ({ metadata }: EndpointSlice) => `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME] ?? ''}`

/** When a pod last became ready or unready: readers measure from it how long the news took. */
function lastChange(pods: readonly Pod[]): string | undefined {
  let last: string | undefined
  for (const pod of pods) {
    const at = podCondition(pod, 'Ready')?.lastTransitionTime
    if (at && (last === undefined || at > last)) last = at
  }
  return last
}
