import { Node } from '#kinds/core/v1/node.ts'
import { CidrPool } from './cidr-pool.ts'
import { parseCidr } from './runtime/cidr.ts'
import type { Controller } from './runtime/controller.ts'
import { defineController, whole } from './runtime/define-controller.ts'
import type { ControllerParameters } from './runtime/parameters.ts'

/** Gives every node its part of the cluster's addresses for pods. */
export const nodeIpamController: Controller = {
  name: 'node-ipam-controller',
  run(context) {
    const pools = poolsOf(context.parameters)
    for (const cidr of context.parameters.serviceCIDRs) for (const pool of pools) pool.take(cidr)
    // What was given is counted from here until the node that has it is gone.
    const held = new Map<string, readonly string[]>()
    const hold = (name: string, cidrs: readonly string[]) => {
      const former = held.get(name) ?? []
      for (const cidr of cidrs) if (!former.includes(cidr)) for (const pool of pools) pool.take(cidr)
      for (const cidr of former) if (!cidrs.includes(cidr)) for (const pool of pools) pool.give(cidr)
      if (cidrs.length > 0) held.set(name, cidrs)
      else held.delete(name)
    }
    const nodes = context.informers.of(Node).onChange((node, old) => {
      if (!node) hold(old!.metadata.name ?? '', [])
      else if (cidrsOf(node).length > 0) hold(node.metadata.name ?? '', cidrsOf(node))
    })
    const loop = allocation(pools, held).run(context)
    return {
      async [Symbol.asyncDispose]() {
        nodes[Symbol.dispose]()
        await loop[Symbol.asyncDispose]()
      },
    }
  },
}

function allocation(pools: readonly CidrPool[], held: Map<string, readonly string[]>) {
  return defineController({
    name: 'node-ipam-controller',
    component: 'cidrAllocator',
    reconciles: Node,
    writes: [whole(Node)],
    async reconcile(node, { client, events }) {
      const { name = '', deletionTimestamp } = node.metadata
      if (deletionTimestamp || cidrsOf(node).length > 0 || pools.length === 0) return
      const podCIDRs = held.get(name) ?? pools.flatMap(pool => pool.next() ?? [])
      if (podCIDRs.length < pools.length) {
        for (const cidr of podCIDRs) for (const pool of pools) pool.give(cidr)
        events.record(node, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`)
        throw new Error(`no pod CIDR is left for node ${name}: enlarge the cluster CIDR or make the nodes' parts smaller`)
      }
      // Kept even if the answer is lost: the next attempt gives the node the same.
      held.set(name, podCIDRs)
      await client.patch(Node, node, { type: 'merge', body: { spec: { podCIDR: podCIDRs[0], podCIDRs } } })
    },
  })
}

function cidrsOf({ spec }: Node): readonly string[] {
  return spec.podCIDRs?.length ? spec.podCIDRs : spec.podCIDR ? [spec.podCIDR] : []
}

function poolsOf({ clusterCIDRs, nodeCIDRMaskSizeIPv4, nodeCIDRMaskSizeIPv6 }: ControllerParameters): CidrPool[] {
  return clusterCIDRs.map(cidr => new CidrPool(cidr, parseCidr(cidr).family === 'IPv4' ? nodeCIDRMaskSizeIPv4 : nodeCIDRMaskSizeIPv6))
}
