import { type CertificateAuthority, type Credential, certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import type { KeyPair } from '#base/pki/key-pair.ts'
import type { Clock } from '#base/time/clock.ts'
import { certificateFiles } from './certificate-files.ts'

/** What a cluster's components prove themselves by. */
export interface ClusterCertificates {
  /** Trusted by every component and every kubeconfig. */
  readonly authority: CertificateAuthority
  /** The authority's own certificate and key: the controller manager signs with it. */
  readonly authorityCredential: Credential
  /** For requests that the API server passes on in somebody's name (aggregation). */
  readonly frontProxyAuthority: Credential
  readonly apiServer: Credential
  /** The API server as a client of kubelets. */
  readonly kubeletClient: Credential
  readonly frontProxyClient: Credential
  readonly admin: Credential
  readonly serviceAccount: KeyPair
  /** A node's serving certificate and its client certificate. */
  node(name: string, addresses: readonly string[]): Promise<{ readonly serving: Credential; readonly client: Credential }>
}

/** Names and addresses under which the API server is reached. */
export interface ApiServerNames {
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
}

/** Everything an API server is called: by people on its machine, by pods through the Service, and at its own addresses. */
export function apiServerNames(
  serviceCidr: string,
  own: { readonly addresses: readonly string[]; readonly names?: readonly string[] },
): ApiServerNames {
  const service = serviceCidr.split('/')[0]!.replace(/\d+$/, last => String(Number(last) + 1))
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local']
  return { dnsNames: [...names, ...(own.names ?? [])], ipAddresses: ['127.0.0.1', '::1', ...own.addresses, service] }
}

/** Reads the certificates kept in `directory`, and makes those that are missing, end soon, or lack a name. Keys are readable by their owner alone. */
export async function clusterCertificates(directory: string, clock: Clock, names: ApiServerNames): Promise<ClusterCertificates> {
  const files = certificateFiles(directory, clock)
  const authorityCredential = await files.keep('ca', () => newAuthority(clock, 'kubernetes-ca'))
  const frontProxyAuthority = await files.keep('front-proxy-ca', () => newAuthority(clock, 'front-proxy-ca'))
  const authority = certificateAuthority(clock, authorityCredential)
  const frontProxy = certificateAuthority(clock, frontProxyAuthority)
  const client = (name: string, commonName: string, ...organizations: string[]) =>
    files.issue(name, authority, { commonName, organizations, usages: ['client'] })
  return {
    authority,
    authorityCredential,
    frontProxyAuthority,
    apiServer: await files.issue('apiserver', authority, { commonName: 'kube-apiserver', usages: ['server'], ...names }),
    kubeletClient: await client('apiserver-kubelet-client', 'kube-apiserver-kubelet-client', 'system:masters'),
    frontProxyClient: await files.issue('front-proxy-client', frontProxy, { commonName: 'front-proxy-client', usages: ['client'] }),
    admin: await client('admin', 'kubernetes-admin', 'system:masters'),
    serviceAccount: files.keepKeys('sa'),
    async node(name, addresses) {
      const serving = { commonName: `system:node:${name}`, organizations: ['system:nodes'], usages: ['server'] as const }
      return {
        serving: await files.issue(`kubelet-${name}-serving`, authority, { ...serving, dnsNames: [name], ipAddresses: addresses }),
        client: await client(`kubelet-${name}-client`, `system:node:${name}`, 'system:nodes'),
      }
    },
  }
}
