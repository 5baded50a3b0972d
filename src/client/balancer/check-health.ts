import { type Clock, every } from '#base/time/clock.ts'
import type { Link } from '../http/connection.ts'
import { exchange } from '../http/exchange.ts'
import type { ServerList } from './server-list.ts'

const PERIOD_MS = 5_000
const PATIENCE_MS = 4_000

/**
 * Asks the server in use, every few seconds, whether it is ready: one that lost its store, or whose network is cut, is left although its
 * connection still stands. There is nothing to ask where no other server is known.
 */
export function checkHealth(list: ServerList, link: Link, clock: Clock, headers: () => Promise<Record<string, string>>): Disposable {
  return every(clock, PERIOD_MS, async () => {
    if (list.servers.length < 2) return
    const server = list.current
    try {
      const request = { method: 'GET', path: '/readyz', headers: await headers() } as const
      const { status } = await exchange(link, request, { clock, timeoutMs: PATIENCE_MS })
      if (status >= 500) list.failed(server, 'it says that it is not ready')
    } catch (error) {
      list.failed(server, (error as Error).message)
    }
  })
}
