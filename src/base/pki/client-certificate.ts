import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'

/** Who a client certificate says its holder is. */
export interface CertificateIdentity {
  readonly commonName: string
  readonly organizations: readonly string[]
  /** SHA-256 of the certificate, as hex: names the credential in audit logs. */
  readonly fingerprint: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Checks client certificates against a set of authorities. */
export interface CertificateVerifier {
  /** The holder's identity. Throws a sentence for the log if the chain leads to no known authority, or is out of time or purpose. */
  verify(leaf: Uint8Array, intermediates: readonly Uint8Array[], now: number): CertificateIdentity
}

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const ANY_USAGE = '2.5.29.37.0'
const CHAIN_LIMIT = 5

// In Node 20 toLegacyObject breaks `node:tls` for the whole process if it is what loads that module first. So it is loaded before, and used here:
// bundles leave out modules of Node's that are only named.
if (typeof createSecureContext !== 'function') throw new Error('node:tls was broken before it could be used')

/** A verifier for the authorities in `bundle` (one or more PEM certificates). */
export function certificateVerifier(bundle: string): CertificateVerifier {
  const roots = certificatesOf(bundle)
  return {
    verify(leaf, intermediates, now) {
      const certificate = new X509Certificate(leaf)
      const usages = certificate.keyUsage
      if (usages && !usages.includes(CLIENT_AUTH) && !usages.includes(ANY_USAGE)) throw new Error('the certificate is not for clients')
      checkChain(
        certificate,
        intermediates.map(der => new X509Certificate(der)),
        roots,
        now,
      )
      const subject = (certificate.toLegacyObject() as unknown as { subject: Record<string, string | string[] | undefined> }).subject
      const commonName = [subject['CN'] ?? []].flat().at(-1)
      if (!commonName) throw new Error('the certificate names no one: its subject has no common name')
      return {
        commonName,
        organizations: [subject['O'] ?? []].flat(),
        fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
        expiresAt: Date.parse(certificate.validTo),
      }
    },
  }
}

/** Every certificate of a PEM text. */
export function certificatesOf(bundle: string): X509Certificate[] {
  return (bundle.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []).map(pem => new X509Certificate(pem))
}

function checkChain(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: number,
): void {
  let current = leaf
  for (let depth = 0; depth < CHAIN_LIMIT; depth++) {
    checkTime(current, now)
    const root = roots.find(candidate => issued(candidate, current))
    if (root) {
      checkTime(root, now)
      return
    }
    const next = intermediates.find(candidate => candidate.ca && issued(candidate, current))
    if (!next) break
    current = next
  }
  throw new Error('the certificate is signed by no known authority')
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function checkTime(certificate: X509Certificate, now: number): void {
  if (now < Date.parse(certificate.validFrom)) throw new Error(`the certificate is not valid before ${certificate.validFrom}`)
  if (now > Date.parse(certificate.validTo)) throw new Error(`the certificate has expired on ${certificate.validTo}`)
}
