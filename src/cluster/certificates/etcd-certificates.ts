import { type CertificateAuthority, type Credential, certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import type { Clock } from '#base/time/clock.ts'
import { certificateFiles } from './certificate-files.ts'

/** What etcd's members and their clients prove themselves by: an authority of their own, so that nobody else's certificate opens the store. */
export interface EtcdCertificates {
  readonly authority: CertificateAuthority
  /** Shown to clients and to other members, as server and as client. */
  readonly member: Credential
  /** Shown by the API server. */
  readonly client: Credential
}

/** Reads the certificates kept in `directory`, and makes what is missing. `etcd-ca` comes with the others when a server joins. */
export async function etcdCertificates(
  directory: string,
  clock: Clock,
  member: string,
  addresses: readonly string[],
): Promise<EtcdCertificates> {
  const files = certificateFiles(directory, clock)
  const authority = certificateAuthority(clock, await files.keep('etcd-ca', () => newAuthority(clock, 'etcd-ca')))
  const names = { dnsNames: [member, 'localhost'], ipAddresses: ['127.0.0.1', ...addresses] }
  return {
    authority,
    member: await files.issue('etcd', authority, { commonName: member, usages: ['server', 'client'], ...names }),
    client: await files.issue('etcd-client', authority, { commonName: 'kube-apiserver-etcd-client', usages: ['client'] }),
  }
}
