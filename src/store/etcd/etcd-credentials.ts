import { checkServerIdentity } from 'node:tls'
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js'
import type { EtcdAddress } from './etcd-channel.ts'

/** How a member is known, and its client to it. */
export interface MemberSecurity {
  readonly host: string
  readonly credentials: ChannelCredentials
  readonly options: ChannelOptions
}

/**
 * Trust and client certificate for one endpoint. The certificate must be for the endpoint's own host; the name that TLS asks for is another,
 * since it may not be an address (RFC 6066) and members mostly go by theirs.
 */
export function memberSecurity(endpoint: string, tls: EtcdAddress['tls']): MemberSecurity {
  const { host, hostname, protocol } = new URL(endpoint)
  if (protocol === 'http:') return { host, credentials: credentials.createInsecure(), options: {} }
  if (!tls) return { host, credentials: credentials.createSsl(), options: {} }
  const named = hostname.replace(/^\[|\]$/g, '')
  const pem = [tls.authority, tls.privateKey, tls.certificate].map(text => Buffer.from(text))
  return {
    host,
    credentials: credentials.createSsl(pem[0], pem[1], pem[2], { checkServerIdentity: (_name, cert) => checkServerIdentity(named, cert) }),
    options: { 'grpc.ssl_target_name_override': 'etcd' },
  }
}
