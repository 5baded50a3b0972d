/** A server behind the load balancer. */
export interface BalancedServer {
  readonly name: string
  readonly address: string
  readonly port: number
}

export interface HaproxyOptions {
  readonly servers: readonly BalancedServer[]
  /** Where people reach the load balancer. */
  readonly bind: string
  /** The file, on the load balancer's machine, with the cluster's authority. */
  readonly authorityFile: string
}

/**
 * A configuration for HAProxy (2.2 or newer) in front of all API servers, for people: agents need none. It passes TLS on as it is, so that
 * certificates of clients reach the servers; whether a server is ready it asks over a TLS connection of its own.
 */
export function haproxyConfig({ servers, bind, authorityFile }: HaproxyOptions): string {
  const host = (address: string) => (address.includes(':') ? `[${address}]` : address)
  const lines = servers.map(({ name, address, port }) => {
    return `  server ${word(name)} ${host(address)}:${port} check check-ssl verify required ca-file ${authorityFile} verifyhost kubernetes.default`
  })
  return `# API servers of a Typernetes cluster. Made by "t8s lb config": run it again when servers come or go, and reload HAProxy.
global
  maxconn 4000

defaults
  mode tcp
  timeout connect 3s
  # Watches and "kubectl exec" stand still for long.
  timeout client 4h
  timeout server 4h
  option clitcpka
  option srvtcpka

frontend kubernetes
  bind ${bind}
  default_backend api-servers

backend api-servers
  balance leastconn
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr host kubernetes.default
  http-check expect status 200
  # Connections to a server that is no longer ready end, so that clients come again and reach another.
  default-server inter 2s fastinter 500ms downinter 2s fall 2 rise 2 on-marked-down shutdown-sessions
${lines.join('\n')}
`
}

/** HAProxy's names have no spaces or other specials. */
function word(name: string): string {
  return name.replace(/[^A-Za-z0-9_.:-]/g, '_') || 'server'
}
