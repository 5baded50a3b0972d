import { createServer } from 'node:http'
import { type OpenPort, openPort } from '#base/net/open-port.ts'
import type { Clock } from '#base/time/clock.ts'
import type { ServiceProxy } from './proxy.ts'

/** A change that waits for longer than this makes the proxy unhealthy. */
const PATIENCE_MS = 60_000

/** Whether the proxy keeps up with the cluster, and what it answers who asks. */
export function proxyHealth(proxy: Pick<ServiceProxy, 'lastSync' | 'pendingSince'>, nowMs: number): { healthy: boolean; body: string } {
  const since = proxy.pendingSince()
  const lastUpdated = proxy.lastSync()
  const healthy = lastUpdated !== undefined && (since === undefined || nowMs - since < PATIENCE_MS)
  const time = (ms: number) => new Date(ms).toISOString()
  return {
    healthy,
    body: JSON.stringify({ ...(lastUpdated !== undefined && { lastUpdated: time(lastUpdated) }), currentTime: time(nowMs) }),
  }
}

/** Answers `/healthz` and `/livez` of a proxy. `port` 0 is any free one. */
export function serveHealthz(
  at: { readonly address: string; readonly port: number },
  proxy: Pick<ServiceProxy, 'lastSync' | 'pendingSince'>,
  clock: Clock,
): Promise<OpenPort> {
  const server = createServer((request, response) => {
    const known = request.url === '/healthz' || request.url === '/livez'
    const { healthy, body } = proxyHealth(proxy, clock.now())
    response.writeHead(known ? (healthy ? 200 : 503) : 404, { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' })
    response.end(known ? body : '')
  })
  return openPort(server, at)
}
