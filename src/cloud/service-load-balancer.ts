import type { Controller } from '#controllers/runtime/controller.ts'
import { defineController, status, type Tools } from '#controllers/runtime/define-controller.ts'
import { textOfError } from '#controllers/runtime/text-of-error.ts'
import { mapped } from '#controllers/runtime/watches.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { equal } from '#machinery/kind/draft.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import type { LoadBalancers } from './provider.ts'
import { FINALIZER, hostsOf, takesTraffic, wantsLoadBalancer } from './service-load-balancer.plan.ts'

/** Gives Services of type LoadBalancer addresses at which the world reaches them, and takes them back. */
export function serviceLoadBalancerController(loadBalancers: LoadBalancers): Controller {
  const { className } = loadBalancers
  /** The hosts that a load balancer was last told of, by uid. */
  const told = new Map<string, string>()
  return defineController({
    name: 'service-lb-controller',
    component: 'service-controller',
    reconciles: Service,
    watches: [
      mapped(Node, (_, { reconciled, cacheOf }) => {
        const hosts = hostsOf(cacheOf(Node).list())
        return (reconciled.list() as readonly Service[]).filter(
          service => wantsLoadBalancer(service, className) && told.get(service.metadata.uid ?? '') !== hosts,
        )
      }),
    ],
    writes: [status(Service)],
    async reconcile(service, tools) {
      const { uid = '', finalizers = [] } = service.metadata
      if (!wantsLoadBalancer(service, className)) {
        told.delete(uid)
        if (finalizers.includes(FINALIZER)) await remove(service, loadBalancers, tools)
        return
      }
      const nodes = tools.list(Node)
      const hosts = hostsOf(nodes)
      // Who has the finalizer has, or may have, something that must be taken back.
      const current = finalizers.includes(FINALIZER) ? service : await patchFinalizers(service, [...finalizers, FINALIZER], tools)
      const isNew = (service.status.loadBalancer.ingress ?? []).length === 0
      if (isNew) tools.events.record(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer')
      try {
        const loadBalancer = await loadBalancers.ensure(current, nodes.filter(takesTraffic))
        if (!equal(loadBalancer, current.status.loadBalancer)) await patchStatus(current, loadBalancer, tools)
        if (isNew) tools.events.record(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer')
        else if (told.has(uid) && told.get(uid) !== hosts)
          tools.events.record(service, 'Normal', 'UpdatedLoadBalancer', 'Updated load balancer with new hosts')
        told.set(uid, hosts)
      } catch (error) {
        const text = `Error syncing load balancer: failed to ensure load balancer: ${textOfError(error)}`
        tools.events.record(service, 'Warning', 'SyncLoadBalancerFailed', text)
        throw error
      }
    },
  })
}

/** First what was made, then what it says of it, then what kept it. */
async function remove(service: Service, loadBalancers: LoadBalancers, tools: Tools): Promise<void> {
  tools.events.record(service, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer')
  try {
    await loadBalancers.delete(service)
  } catch (error) {
    const text = `Error syncing load balancer: failed to delete load balancer: ${textOfError(error)}`
    tools.events.record(service, 'Warning', 'SyncLoadBalancerFailed', text)
    throw error
  }
  let current = service
  if ((service.status.loadBalancer.ingress ?? []).length > 0 && !service.metadata.deletionTimestamp)
    current = await patchStatus(service, {}, tools)
  const rest = (current.metadata.finalizers ?? []).filter(finalizer => finalizer !== FINALIZER)
  try {
    await patchFinalizers(current, rest, tools)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  tools.events.record(service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer')
}

/** The role of this controller allows no more than writes of the status; as upstream, it changes finalizers by the same way. */
function patchFinalizers(service: Service, finalizers: readonly string[], { client }: Tools): Promise<Service> {
  const { uid, resourceVersion } = service.metadata
  const body = { metadata: { uid, resourceVersion, finalizers } }
  return client.patch(Service, service, { type: 'merge', body }, { subresource: 'status' })
}

function patchStatus(service: Service, loadBalancer: object, { client }: Tools): Promise<Service> {
  const { uid, resourceVersion } = service.metadata
  const body = [
    { op: 'test' as const, path: '/metadata/uid', value: uid },
    { op: 'test' as const, path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'replace' as const, path: '/status/loadBalancer', value: loadBalancer },
  ]
  return client.patch(Service, service, { type: 'json', body }, { subresource: 'status' })
}
