import { createServer } from 'node:http'
import { type OpenPort, openPort } from '#base/net/open-port.ts'

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
  return (nodePort, health) => listen(address, nodePort, health)
}

/** Answers on ports the system chooses at `address`, an address of this process that the node reaches; the rules redirect there. */
export function healthBehindRedirect(address: string): OpenHealth {
  return async (_nodePort, health) => {
    const open = await listen(address, 0, health)
    return { redirect: { address, port: open.port }, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() }
  }
}

function listen(address: string, port: number, health: () => ServiceHealth): Promise<OpenPort> {
  const server = createServer((_request, response) => {
    const { namespace, name, localEndpoints } = health()
    response.writeHead(localEndpoints > 0 ? 200 : 503, {
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
      'x-load-balancing-endpoint-weight': String(localEndpoints),
    })
    response.end(JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy: true }))
  })
  return openPort(server, { address, port })
}
