import type { Endpoints } from '#kinds/core/v1/endpoints.ts'
import type { Service } from '#kinds/core/v1/service.ts'
import { serviceUnavailable } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { Core } from '../registry/core.ts'
import { type ConnectSubresource, read } from './connect.ts'
import { checkProxied, proxiedName } from './proxied-name.ts'

/** `services/proxy`: HTTP to one of the pods behind a Service. */
export const serviceProxy: ConnectSubresource = {
  group: '',
  resource: 'services',
  name: 'proxy',
  manner: 'proxy',
  async locate(core, { namespace, name: asked }) {
    const { scheme, name, port } = proxiedName('service', asked)
    const service = await read<Service>(core, 'Service', namespace, name)
    const portName = /^\d+$/.test(port) ? nameOfPort(service, Number(port)) : port
    const candidates = await addressesOf(core, namespace, name, portName)
    const chosen = candidates[Math.floor(core.random.next() * candidates.length)]
    if (!chosen) throw serviceUnavailable(`no endpoints available for service ${quote(asked)}`)
    checkProxied(chosen.host)
    return { to: 'address', scheme: scheme || 'http', ...chosen }
  },
}

function nameOfPort(service: Service, number: number): string {
  const port = service.spec.ports?.find(one => one.port === number)
  if (!port) throw serviceUnavailable(`no service port ${number} found for service ${quote(service.metadata.name ?? '')}`)
  return port.name ?? ''
}

async function addressesOf(core: Core, namespace: string, name: string, portName: string) {
  const { subsets = [] } = await read<Endpoints>(core, 'Endpoints', namespace, name)
  return subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.filter(port => (port.name ?? '') === portName).flatMap(({ port }) => addresses.map(({ ip }) => ({ host: ip, port }))),
  )
}
