import type { Node } from '#kinds/core/v1/node.ts'
import { type ConnectSubresource, read } from './connect.ts'
import { addressOfNode, kubeletPortOf } from './node-address.ts'
import { portOf } from './pod-proxy.ts'
import { checkProxied, proxiedName } from './proxied-name.ts'

/** `nodes/proxy`: HTTP to the kubelet of a node, or to another port of it. */
export const nodeProxy: ConnectSubresource = {
  group: '',
  resource: 'nodes',
  name: 'proxy',
  manner: 'proxy',
  // A GET would otherwise be enough to run a command by way of the kubelet.
  alsoNeeds: ({ path }) => (runsSomething(path) ? 'create' : undefined),
  async locate(core, { name: asked, path, query }) {
    const { scheme, name, port } = proxiedName('node', asked)
    const node = await read<Node>(core, 'Node', '', name)
    if (port === '' || portOf(port) === kubeletPortOf(node)) return { to: 'kubelet', node: name, path, query }
    const host = addressOfNode(node)
    checkProxied(host)
    return { to: 'address', scheme: scheme || 'http', host, port: portOf(port) }
  },
}

const RUNNING: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'run', 'cri'])

/** Whether a path, read as a kubelet reads it, starts something in a container. */
function runsSomething(path: string): boolean {
  try {
    const [first = ''] = decodeURIComponent(new URL(`https://kubelet${path}`).pathname)
      .split('/')
      .filter(part => part !== '')
    return RUNNING.has(first.toLowerCase())
  } catch {
    return true
  }
}
