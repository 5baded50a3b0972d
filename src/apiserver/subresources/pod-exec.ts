import type { Pod } from '#kinds/core/v1/pod.ts'
import { badRequest } from '#machinery/status/failures.ts'
import { flagOf } from '../http/options.ts'
import type { Core } from '../registry/core.ts'
import { type ConnectCall, type ConnectSubresource, read, type ToKubelet } from './connect.ts'
import { containerOf, kubeletPath } from './pod-container.ts'

/** `pods/exec`: a command in a container, joined with the client. */
export const podExec: ConnectSubresource = {
  group: '',
  resource: 'pods',
  name: 'exec',
  manner: 'stream',
  alsoNeeds: () => 'create',
  locate: (core, call) => locateContainer(core, call, 'exec', call.query.getAll('command')),
}

/** How the API's names of a process's ends are called on the kubelet. */
const ENDS = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' } as const

/** Where a process of a container is reached. */
export async function locateContainer(
  core: Core,
  call: ConnectCall,
  verb: 'exec' | 'attach',
  command: readonly string[],
): Promise<ToKubelet> {
  const { namespace, name } = call
  const pod = await read<Pod>(core, 'Pod', namespace, name)
  const container = containerOf(pod, call.query.get('container') ?? '')
  const query = new URLSearchParams()
  for (const [asked, told] of Object.entries(ENDS)) if (flagOf(call.query, asked)) query.set(told, '1')
  for (const word of command) query.append('command', word)
  return { to: 'kubelet', node: nodeOf(pod), path: kubeletPath(verb, namespace, name, container), query }
}

/** The node of a pod that must have one. */
export function nodeOf(pod: Pod): string {
  if (!pod.spec.nodeName) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`)
  return pod.spec.nodeName
}
