import { GaugeSeries } from '#base/metrics/labelled-series.ts'
import type { Labels, Series } from '#base/metrics/series.ts'
import { isTerminal, limitsOf, requestsOf } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'

const HELP =
  'workloads on the cluster, broken down by pod. This shows the resource usage the scheduler and kubelet expect per pod for resources along with the ' +
  'unit for the resource if any.'

/** What `/metrics/resources` of the scheduler shows: what each pod that has not ended asks for, and may use at most. */
export function podResourceMetrics(pods: () => Iterable<Pod>): readonly Series[] {
  return [
    new GaugeSeries('kube_pod_resource_request', `Resources requested by ${HELP}`, () => amounts(pods(), requestsOf)),
    new GaugeSeries('kube_pod_resource_limit', `Resources limit for ${HELP}`, () => amounts(pods(), limitsOf)),
  ]
}

function* amounts(pods: Iterable<Pod>, amountsOf: typeof requestsOf): Iterable<readonly [Labels, number]> {
  for (const pod of pods) {
    if (pod.spec.nodeName && isTerminal(pod)) continue
    const { namespace = '', name = '' } = pod.metadata
    const { nodeName = '', schedulerName = '', priority } = pod.spec
    const labels = {
      namespace,
      pod: name,
      node: nodeName,
      scheduler: schedulerName,
      priority: priority === undefined ? '' : String(priority),
    }
    for (const [resource, amount] of Object.entries(amountsOf(pod)))
      if (amount !== 0) yield [{ ...labels, resource, unit: unitOf(resource) }, resource === 'cpu' ? amount / 1000 : amount]
  }
}

function unitOf(resource: string): string {
  if (resource === 'cpu') return 'cores'
  if (['memory', 'storage', 'ephemeral-storage'].includes(resource) || resource.startsWith('hugepages-')) return 'bytes'
  return resource.startsWith('attachable-volumes-') ? 'integer' : ''
}
