import type { CertificateVerifier } from '#base/pki/client-certificate.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Authenticated, Authenticator } from './authenticator.ts'

const REMEMBERED = 1_000

/** X.509: the common name is the user, the organizations are the groups. A certificate is verified once, then known until it expires. */
export function clientCertificateAuthenticator(verifier: CertificateVerifier, clock: Clock): Authenticator {
  const known = new Map<string, Authenticated>()
  return {
    name: 'client certificate',
    async authenticate({ certificate }) {
      if (!certificate) return undefined
      const key = Buffer.from(certificate.raw).toString('latin1')
      const remembered = known.get(key)
      if (remembered && clock.now() < remembered.expiresAt!) return remembered
      const { commonName, organizations, fingerprint, expiresAt } = verifier.verify(certificate.raw, certificate.issuers, clock.now())
      const extra = { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] }
      const found = { user: { name: commonName, groups: organizations, extra }, expiresAt }
      if (known.size >= REMEMBERED) known.clear()
      known.set(key, found)
      return found
    },
  }
}
