import type { Controller } from '#controllers/runtime/controller.ts'
import { defineController, status, type Tools } from '#controllers/runtime/define-controller.ts'
import { textOfError } from '#controllers/runtime/text-of-error.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { timeOf } from '#machinery/time/time.ts'
import type { CloudControllerOptions } from './cloud-controllers.ts'
import { planRoutes, routesOf } from './node-route.plan.ts'
import type { Route, Routes } from './provider.ts'

/** Has the pods of every node reached from the others, and says of nodes whether their network is there. */
export function nodeRouteController(routes: Routes, { clusterCIDRs, routeReconciliationPeriodMs }: CloudControllerOptions): Controller {
  const sweep = async ({ list }: Tools) => {
    const nodes = list(Node).filter(node => routes.reaches(node))
    const present = await routes.list()
    const plan = planRoutes(nodes, present, clusterCIDRs)
    // A range that another node has now is freed before it is given.
    for (const route of plan.delete) await routes.delete(route)
    return plan
  }
  /** The routes of nodes that were found set: nothing is read again until a node changes what it needs. */
  const found = new Map<string, string>()
  return defineController({
    name: 'node-route-controller',
    component: 'route_controller',
    reconciles: Node,
    writes: [status(Node)],
    // What one node's route is to be depends on the others: the list is read and changed by one at a time.
    concurrency: 1,
    async reconcile(node, tools) {
      if (!routes.reaches(node) || node.metadata.deletionTimestamp) return
      const wanted = routesOf(node)
      const key = JSON.stringify(wanted)
      if (wanted.length === 0 || found.get(node.metadata.uid ?? '') === key) return
      const { create } = await sweep(tools)
      try {
        for (const route of create.filter(one => wanted.some(({ cidr }) => cidr === one.cidr))) await routes.create(route)
      } catch (error) {
        await say(node, 'True', 'NoRouteCreated', 'RouteController failed to create a route', tools)
        const to = wanted.map(({ cidr }: Route) => cidr).join(', ')
        tools.events.record(
          node,
          'Warning',
          'FailedToCreateRoute',
          `Could not create route for ${node.metadata.name} ${to}: ${textOfError(error)}`,
        )
        tools.again(routeReconciliationPeriodMs)
        return
      }
      await say(node, 'False', 'RouteCreated', 'RouteController created a route', tools)
      found.set(node.metadata.uid ?? '', key)
    },
    async gone(_, tools) {
      const living = new Set(tools.list(Node).map(({ metadata }) => metadata.uid ?? ''))
      for (const uid of found.keys()) if (!living.has(uid)) found.delete(uid)
      await sweep(tools)
    },
  })
}

/** `NetworkUnavailable` keeps pods away from a node that cannot be reached. */
async function say(node: Node, state: 'True' | 'False', reason: string, message: string, { client, now }: Tools): Promise<void> {
  const type = 'NetworkUnavailable'
  const present = node.status.conditions?.find(condition => condition.type === type)
  if (present?.status === state && present.reason === reason) return
  const at = timeOf(now)
  const condition = { type, status: state, reason, message, lastHeartbeatTime: at, lastTransitionTime: at }
  await client.patch(Node, node, { type: 'strategic', body: { status: { conditions: [condition] } } }, { subresource: 'status' })
}
