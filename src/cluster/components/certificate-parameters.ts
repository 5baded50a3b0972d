import { X509Certificate } from 'node:crypto'
import { certificateAuthority, readCertificateRequest } from '#base/pki/certificate-authority.ts'
import { tokenSigner } from '#base/pki/json-web-token.ts'
import { realClock } from '#base/time/real-clock.ts'
import type { ControllerParameters } from '#controllers/runtime/parameters.ts'
import type { ClusterCertificates } from '../certificates/cluster-certificates.ts'

/** What controllers need of the cluster's certificates and networks. */
export function certificateParameters(
  certificates: ClusterCertificates,
  layout: { readonly podCidr: string; readonly serviceCidr: string },
): Partial<ControllerParameters> {
  const authority = certificateAuthority(realClock(), certificates.authorityCredential)
  const signer = tokenSigner(certificates.serviceAccount.privateKey)
  return {
    rootCA: certificates.authority.certificate,
    clusterCIDRs: [layout.podCidr],
    serviceCIDRs: [layout.serviceCidr],
    signServiceAccountToken: ({ namespace, serviceAccount, serviceAccountUid, secret }) =>
      signer.sign({
        iss: LEGACY_ISSUER,
        sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
        'kubernetes.io/serviceaccount/namespace': namespace,
        'kubernetes.io/serviceaccount/secret.name': secret,
        'kubernetes.io/serviceaccount/service-account.name': serviceAccount,
        'kubernetes.io/serviceaccount/service-account.uid': serviceAccountUid,
      }),
    certificateSigner: {
      parse: readCertificateRequest,
      sign: ({ requestPem, usages, durationMs }) =>
        authority.sign(requestPem, {
          usages: [
            ...(usages.includes('server auth') ? ['server' as const] : []),
            ...(usages.includes('client auth') ? ['client' as const] : []),
          ],
          validSeconds: Math.floor(durationMs / 1000),
        }),
      notAfter: async pem => Date.parse(new X509Certificate(pem).validTo),
    },
  }
}

/** The issuer of tokens that stand in Secrets. */
const LEGACY_ISSUER = 'kubernetes/serviceaccount'
