import type { Pod } from '#kinds/core/v1/pod.ts'
import { badRequest } from '#machinery/status/failures.ts'
import { type ConnectSubresource, read } from './connect.ts'
import { checkProxied, proxiedName } from './proxied-name.ts'

/** `pods/proxy`: HTTP to a port of a pod, the first of its ports unless another is named. */
export const podProxy: ConnectSubresource = {
  group: '',
  resource: 'pods',
  name: 'proxy',
  manner: 'proxy',
  async locate(core, call) {
    const { scheme, name, port } = proxiedName('pod', call.name)
    const pod = await read<Pod>(core, 'Pod', call.namespace, name)
    const address = pod.status.podIP ?? pod.status.podIPs?.[0]?.ip ?? ''
    checkProxied(address)
    const first = pod.spec.containers.flatMap(container => container.ports ?? [])[0]?.containerPort
    return {
      to: 'address',
      scheme: scheme || 'http',
      host: address,
      port: port === '' ? (first ?? (scheme === 'https' ? 443 : 80)) : portOf(port),
    }
  },
}

/** The number of a port that must be one. */
export function portOf(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw badRequest(`invalid port ${text}: it must be a number from 1 to 65535`)
  return port
}
