import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the health check node port of a Service reports to load balancers. */
export interface ServiceHealth {
  readonly namespace: string
  readonly name: string
  /** Ready endpoints on this node. */
  readonly localEndpoints: number
}

/** A health check that is being answered. */
export interface HealthEndpoint extends AsyncDisposable {
  /** Where it listens, if that is not the node port of the node itself: the rules then send the port there. */
  readonly redirect?: { readonly address: string; readonly port: number } | undefined
}

/** Opens the health check node ports of one node. */
export type OpenHealth = (nodePort: number, health: () => ServiceHealth) => Promise<HealthEndpoint>

/** Answers on the node port itself: for a proxy that lives in its node's network. */
export function healthOnNodePorts(address = '::'): OpenHealth {
  return async (nodePort, health) => {
    const server = await listen(address, nodePort, health)
    return { [Symbol.asyncDispose]: server.close }
  }
}

/** Answers on ports the system chooses at `address`, an address of this process that the node reaches; the rules redirect there. */
export function healthBehindRedirect(address: string): OpenHealth {
  return async (_nodePort, health) => {
    const server = await listen(address, 0, health)
    return { redirect: { address, port: server.port }, [Symbol.asyncDispose]: server.close }
  }
}

async function listen(address: string, port: number, health: () => ServiceHealth) {
  const server = createServer((_request, response) => {
    const { namespace, name, localEndpoints } = health()
    response.writeHead(localEndpoints > 0 ? 200 : 503, {
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
      'x-load-balancing-endpoint-weight': String(localEndpoints),
    })
    response.end(JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy: true }))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, resolve)
  })
  const close = () =>
    new Promise<void>(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { port: (server.address() as AddressInfo).port, close }
}
