import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'

const REFUSAL: Refusal = {
  plugin: 'NodePorts',
  code: 'unschedulable',
  reasons: ["node(s) didn't have free ports for the requested pod ports"],
}

/** Two pods of a node cannot have the same port of the host. */
export function nodePorts(): SchedulerPlugin {
  return {
    name: 'NodePorts',
    sign: ({ hostPorts }) => hostPorts,
    wakesOn: ['node added', { event: 'pod removed', helps: (_pod, { pod }) => hasHostPort(pod) }],
    preFilter: ({ info }) => (info.hostPorts.length === 0 ? { skip: true } : undefined),
    filter: ({ info }, node) => (node.hasPortConflict(info.hostPorts) ? REFUSAL : undefined),
  }
}

function hasHostPort(
  pod:
    | {
        readonly spec: {
          readonly containers: readonly { readonly ports?: readonly { readonly hostPort?: number | undefined }[] | undefined }[]
        }
      }
    | undefined,
): boolean {
  return pod?.spec.containers.some(container => container.ports?.some(port => port.hostPort)) ?? true
}
