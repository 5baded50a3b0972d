import type { ClusterCertificates } from '../certificates/cluster-certificates.ts'
import type { AuthenticationOptions } from './authentication.ts'

/** Users and nodes by their certificates, joining nodes by tokens, and others by the word of the front proxy. */
export function authenticationByCertificates({ authority, frontProxyAuthority }: ClusterCertificates): AuthenticationOptions {
  return {
    clientCa: authority.certificate,
    requestHeader: {
      clientCa: frontProxyAuthority.certificate,
      allowedNames: ['front-proxy-client'],
      usernameHeaders: ['x-remote-user'],
      uidHeaders: ['x-remote-uid'],
      groupHeaders: ['x-remote-group'],
      extraHeaderPrefixes: ['x-remote-extra-'],
    },
    bootstrapTokens: true,
  }
}
