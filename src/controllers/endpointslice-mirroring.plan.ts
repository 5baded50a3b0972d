import type { EndpointAddress, Endpoints } from '#kinds/core/v1/endpoints.ts'
import type { Endpoint } from '#kinds/discovery/v1/endpoint-slice.ts'
import type { SliceDraft } from './endpointslice.plan.ts'
import { familyOf } from './service-endpoints.ts'

/** The most addresses of a subset that are shown. */
const MAX_ENDPOINTS = 1000

/** The slices that show an Endpoints object: one for each subset and family. */
export function mirrorOf({ subsets = [] }: Endpoints): SliceDraft[] {
  const slices: SliceDraft[] = []
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const slicePorts = ports.map(({ name = '', port, protocol, appProtocol }) => ({
      name,
      protocol,
      port,
      ...(appProtocol ? { appProtocol } : {}),
    }))
    for (const family of ['IPv4', 'IPv6'] as const) {
      const of = (list: readonly EndpointAddress[], ready: boolean) =>
        list.filter(({ ip }) => familyOf(ip) === family).map(one => endpointOf(one, ready))
      const endpoints = [...of(addresses, true), ...of(notReadyAddresses, false)].slice(0, MAX_ENDPOINTS)
      if (endpoints.length > 0) slices.push({ addressType: family, ports: slicePorts, endpoints })
    }
  }
  return slices
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...(targetRef ? { targetRef } : {}),
  }
}
