import { isIP } from 'node:net'
import type { PeerCertificate } from 'node:tls'

/** What Node tells of a connection that failed. */
export interface NetworkError extends Error {
  readonly code?: string
  /** Of a name that was not found. */
  readonly hostname?: string
  /** Of a certificate that is for others: whom it should name. */
  readonly host?: string
  readonly cert?: Pick<PeerCertificate, 'subjectaltname'>
}

/** Why a program at `address` (host and port) did not answer over TLS, in the words of Go's client. */
export function networkErrorText(address: string, error: NetworkError): string {
  const { code = '', message } = error
  const dialing = dialErrorText(address, error)
  if (dialing) return dialing
  if (code === 'ECONNRESET') return 'EOF'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${UNVERIFIED}: x509: ${nameErrorText(error)}`
  const distrust = DISTRUST[code]
  if (distrust) return `${UNVERIFIED}: x509: ${distrust}`
  if (code === 'EPROTO' && message.includes('wrong version number')) return 'http: server gave HTTP response to HTTPS client'
  return message
}

/** Why no connection stands; undefined if it is something else that failed. */
function dialErrorText(address: string, { code = '', message, hostname }: NetworkError): string | undefined {
  if (message.startsWith('dial ')) return message
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${hostname}: no such host`
  const why = CONNECTING[code]
  return why && `dial tcp ${address}: connect: ${why}`
}

const CONNECTING: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
}

const UNVERIFIED = 'tls: failed to verify certificate'
const UNKNOWN_AUTHORITY = 'certificate signed by unknown authority'
const NOT_IN_TIME = 'certificate has expired or is not yet valid'

const DISTRUST: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: NOT_IN_TIME,
  CERT_NOT_YET_VALID: NOT_IN_TIME,
}

/** The certificate names others. */
function nameErrorText({ cert, host = '' }: NetworkError): string {
  const names = (cert?.subjectaltname ?? '').split(', ')
  const of = (prefix: string) => names.filter(name => name.startsWith(prefix)).map(name => name.slice(prefix.length))
  const asked = isIP(host) === 0 ? host.replace(/\.$/, '') : host
  const own = isIP(host) === 0 ? of('DNS:') : of('IP Address:')
  if (own.length > 0) return `certificate is valid for ${own.join(', ')}, not ${asked}`
  if (isIP(host) !== 0) return `cannot validate certificate for ${asked} because it doesn't contain any IP SANs`
  return `certificate is not valid for any names, but wanted to match ${asked}`
}
