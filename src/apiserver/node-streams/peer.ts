import { type ClientRequest, request as httpRequest, type OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { isIPv6 } from 'node:net'
import { networkErrorText } from '#base/net/network-error.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Node } from '#kinds/core/v1/node.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { Core } from '../registry/core.ts'
import { type Destination, read } from '../subresources/connect.ts'
import { addressOfNode, kubeletPortOf } from '../subresources/node-address.ts'
import type { KubeletConnection } from './kubelet-connection.ts'

/** Whom a request is passed on to, and how a connection to it is made. */
export interface Peer {
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly port: number
  /** A kubelet that is spoken to in WebSockets, and not in SPDY alone. */
  readonly takesWebSockets: boolean
  /** How long a connection may take to stand. */
  readonly dialMs?: number | undefined
  readonly tls: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>
}

/** A connection that takes longer to stand is given up. */
const DIAL_MS = 30_000

/** Finds the peer of a destination. */
export async function peerOf(core: Core, destination: Destination, kubelets: KubeletConnection, insecure = false): Promise<Peer> {
  // Programs in pods and on nodes have certificates of their own making, as upstream takes them.
  if (destination.to === 'address') return { ...destination, takesWebSockets: true, tls: { rejectUnauthorized: false } }
  const node = await read<Node>(core, 'Node', '', destination.node)
  const host = addressOfNode(node, kubelets.preferredAddressTypes)
  if (host === '') throw new StatusError({ code: 500, reason: '', message: 'no preferred addresses found; known addresses: []' })
  const { authority, certificate, privateKey } = kubelets
  return {
    scheme: 'https',
    host,
    port: kubeletPortOf(node),
    dialMs: kubelets.dialMs,
    takesWebSockets: node.status.declaredFeatures?.includes('ExtendWebSocketsToKubelet') ?? false,
    tls: {
      rejectUnauthorized: authority !== undefined && !insecure,
      ...(authority ? { ca: authority } : {}),
      ...(certificate && privateKey ? { cert: certificate, key: privateKey } : {}),
    },
  }
}

/** Begins a request on a connection of its own, which ends with it. */
export function begin(
  peer: Peer,
  request: { readonly method: string; readonly path: string; readonly headers: OutgoingHttpHeaders },
  clock: Clock,
): ClientRequest {
  const isSecure = peer.scheme === 'https'
  const call = (isSecure ? httpsRequest : httpRequest)({
    ...request,
    hostname: peer.host,
    port: peer.port,
    agent: false,
    setHost: false,
    // As upstream, it reads what programs answer who end lines with a line feed alone. Nothing follows on the connection that could be misread.
    insecureHTTPParser: true,
    headers: { host: authorityOf(peer), ...request.headers },
    ...(isSecure ? peer.tls : {}),
  })
  const timer = clock.after(peer.dialMs ?? DIAL_MS, () => call.destroy(new Error(`dial tcp ${authorityOf(peer)}: i/o timeout`)))
  call.on('socket', socket => {
    socket.setNoDelay(true)
    socket.setKeepAlive(true, DIAL_MS)
    socket.once(isSecure ? 'secureConnect' : 'connect', () => timer.cancel())
  })
  call.on('close', () => timer.cancel())
  return call
}

export function authorityOf({ host, port }: Pick<Peer, 'host' | 'port'>): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}

/** The failure of a peer whose answer cannot be passed on. */
export function unusableAnswer(peer: Peer, error: unknown): StatusError {
  const why = error instanceof Error ? error.message : String(error)
  return new StatusError({ code: 502, reason: '', message: `the answer of ${authorityOf(peer)} cannot be passed on: ${why}` })
}

/** What went wrong on the way to a peer, in upstream's words. */
export function dialFailure(peer: Peer, error: Error & { readonly code?: string }): string {
  return networkErrorText(authorityOf(peer), error)
}
