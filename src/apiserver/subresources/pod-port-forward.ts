import type { Pod } from '#kinds/core/v1/pod.ts'
import { type ConnectSubresource, read } from './connect.ts'
import { kubeletPath } from './pod-container.ts'
import { nodeOf } from './pod-exec.ts'

/** `pods/portforward`: connections to ports of a pod. */
export const podPortForward: ConnectSubresource = {
  group: '',
  resource: 'pods',
  name: 'portforward',
  manner: 'stream',
  alsoNeeds: () => 'create',
  async locate(core, call) {
    const { namespace, name } = call
    const pod = await read<Pod>(core, 'Pod', namespace, name)
    const query = new URLSearchParams()
    const ports = call.query.getAll('ports')
    if (ports.length > 0) query.set('port', ports.join(','))
    return { to: 'kubelet', node: nodeOf(pod), path: kubeletPath('portForward', namespace, name), query }
  },
}
