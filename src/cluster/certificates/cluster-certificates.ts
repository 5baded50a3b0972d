import { X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type CertificateAuthority,
  type CertificateSubject,
  type Credential,
  certificateAuthority,
  newAuthority,
} from '#base/pki/certificate-authority.ts'
import { type KeyPair, newKeyPair } from '#base/pki/key-pair.ts'
import type { Clock } from '#base/time/clock.ts'

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

const YEAR_SECONDS = 365 * 86_400
/** A certificate is made anew this long before it ends, or when its names changed. */
const RENEWAL_MS = 30 * 86_400_000

/** Reads the certificates kept in `directory`, and makes those that are missing, end soon, or lack a name. Keys are readable by their owner alone. */
export async function clusterCertificates(directory: string, clock: Clock, names: ApiServerNames): Promise<ClusterCertificates> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const files = certificateFiles(directory)
  const authorityCredential = await files.keep('ca', () => newAuthority(clock, 'kubernetes-ca'))
  const frontProxyAuthority = await files.keep('front-proxy-ca', () => newAuthority(clock, 'front-proxy-ca'))
  const authority = certificateAuthority(clock, authorityCredential)
  const frontProxy = certificateAuthority(clock, frontProxyAuthority)
  const issue = (name: string, by: CertificateAuthority, subject: Omit<CertificateSubject, 'validSeconds'>) =>
    files.keep(
      name,
      () => by.issue({ ...subject, validSeconds: YEAR_SECONDS }),
      certificate => isGood(certificate, by, subject, clock),
    )
  const client = (name: string, commonName: string, ...organizations: string[]) =>
    issue(name, authority, { commonName, organizations, usages: ['client'] })
  return {
    authority,
    authorityCredential,
    frontProxyAuthority,
    apiServer: await issue('apiserver', authority, { commonName: 'kube-apiserver', usages: ['server'], ...names }),
    kubeletClient: await client('apiserver-kubelet-client', 'kube-apiserver-kubelet-client', 'system:masters'),
    frontProxyClient: await issue('front-proxy-client', frontProxy, { commonName: 'front-proxy-client', usages: ['client'] }),
    admin: await client('admin', 'kubernetes-admin', 'system:masters'),
    serviceAccount: files.keepKeys('sa'),
    async node(name, addresses) {
      const serving = { commonName: `system:node:${name}`, organizations: ['system:nodes'], usages: ['server'] as const }
      return {
        serving: await issue(`kubelet-${name}-serving`, authority, { ...serving, dnsNames: [name], ipAddresses: addresses }),
        client: await client(`kubelet-${name}-client`, `system:node:${name}`, 'system:nodes'),
      }
    },
  }
}

function isGood(pem: string, by: CertificateAuthority, subject: Omit<CertificateSubject, 'validSeconds'>, clock: Clock): boolean {
  const certificate = new X509Certificate(pem)
  return (
    Date.parse(certificate.validTo) - clock.now() > RENEWAL_MS &&
    certificate.verify(new X509Certificate(by.certificate).publicKey) &&
    (subject.dnsNames ?? []).every(name => certificate.checkHost(name) !== undefined) &&
    (subject.ipAddresses ?? []).every(address => certificate.checkIP(address) !== undefined)
  )
}

/** Certificates as `<name>.crt` and `<name>.key`; a file appears whole or not at all, the key before the certificate. */
function certificateFiles(directory: string) {
  const write = (name: string, text: string) => {
    const file = join(directory, name)
    writeFileSync(`${file}.new`, text, { mode: 0o600 })
    chmodSync(`${file}.new`, name.endsWith('.key') ? 0o600 : 0o644)
    renameSync(`${file}.new`, file)
  }
  const read = (name: string) => readFileSync(join(directory, name), 'utf8')
  const has = (name: string) => existsSync(join(directory, name))
  return {
    async keep(
      name: string,
      make: () => Promise<Credential>,
      isStillGood: (certificate: string) => boolean = () => true,
    ): Promise<Credential> {
      if (has(`${name}.crt`) && has(`${name}.key`)) {
        const kept = { certificate: read(`${name}.crt`), privateKey: read(`${name}.key`) }
        if (isStillGood(kept.certificate)) return kept
      }
      const made = await make()
      write(`${name}.key`, made.privateKey)
      write(`${name}.crt`, made.certificate)
      return made
    },
    keepKeys(name: string): KeyPair {
      if (!has(`${name}.key`) || !has(`${name}.pub`)) {
        const made = newKeyPair()
        write(`${name}.key`, made.privateKey)
        write(`${name}.pub`, made.publicKey)
      }
      return { privateKey: read(`${name}.key`), publicKey: read(`${name}.pub`) }
    },
  }
}
