import type { Clock } from '#base/time/clock.ts'
import { statusErrorOf } from '#machinery/status/status-error.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { RequestInfo } from '../http/request-info.ts'
import type { PassedFor } from '../node-streams/passed-headers.ts'
import type { Peer } from '../node-streams/peer.ts'
import { relayProxy } from '../node-streams/proxy-relay.ts'
import { relayUpgrade } from '../node-streams/upgrade-relay.ts'
import type { Aggregation, RemoteVersion } from './aggregation.ts'
import { isAvailable } from './conditions.ts'
import { USER_HEADERS, userHeaders } from './front-proxy.ts'

/** Requests for groups that other servers serve: passed on to them in the name of who sends them, watches and upgrades as well. */
export class AggregatedRoute {
  readonly #aggregation: Aggregation
  readonly #clock: Clock

  constructor(aggregation: Aggregation, clock: Clock) {
    this.#aggregation = aggregation
    this.#clock = clock
  }

  /** Who answers a request, if it is not this server. */
  find(info: RequestInfo): RemoteVersion | undefined {
    if (info.isResource) return this.#aggregation.remote(info.group, info.version)
    const [, root, group = '', version = '', ...more] = info.path.split('/')
    return root === 'apis' && more.join('') === '' ? this.#aggregation.remote(group, version) : undefined
  }

  /** Answers a request that has been authorized. */
  async serve(context: RequestContext, remote: RemoteVersion): Promise<void> {
    const { path, query } = context.exchange
    await this.relay(context, remote, `${path}${query === '' ? '' : `?${query}`}`)
  }

  /** Answers with what the server says under `path`. */
  async relay(context: RequestContext, remote: RemoteVersion, path: string): Promise<void> {
    if (!isAvailable(remote.service)) return context.sendText(503, UNAVAILABLE)
    let peer: Peer
    try {
      peer = this.#peerOf(remote)
    } catch {
      return context.sendText(503, UNAVAILABLE)
    }
    const { exchange, user, auditId } = context
    // One id for the request, in the audit of both servers.
    const passedFor: PassedFor = { headers: { ...userHeaders(user), 'audit-id': auditId }, reserved: USER_HEADERS }
    try {
      if (exchange.upgrade) await relayUpgrade(exchange, exchange.upgrade, peer, path, this.#clock, passedFor)
      else await relayProxy(exchange, peer, path, undefined, this.#clock, passedFor)
      context.markAnswered()
    } catch (error) {
      const failure = statusErrorOf(error)
      if (!failure) throw error
      context.sendText(failure.code, `${failure.message}\n`)
    }
  }

  #peerOf(remote: RemoteVersion): Peer {
    const { serverName, ca, certificate, privateKey, insecure } = this.#aggregation.trustOf(remote)
    return {
      scheme: 'https',
      ...this.#aggregation.placeOf(remote),
      takesWebSockets: true,
      tls: {
        servername: serverName,
        rejectUnauthorized: !insecure,
        ...(ca ? { ca } : {}),
        ...(certificate && privateKey ? { cert: certificate, key: privateKey } : {}),
      },
    }
  }
}

const UNAVAILABLE = 'service unavailable\n'
