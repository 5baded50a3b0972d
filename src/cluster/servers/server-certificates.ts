import { isIP } from 'node:net'
import { join } from 'node:path'
import { type CertificateAuthority, certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import type { Clock } from '#base/time/clock.ts'
import { certificateFiles } from '../certificates/certificate-files.ts'
import { apiServerNames, type ClusterCertificates, clusterCertificates } from '../certificates/cluster-certificates.ts'
import { type EtcdCertificates, etcdCertificates } from '../certificates/etcd-certificates.ts'
import type { EtcdAccess } from '../etcd/members.ts'
import type { ServerLayout } from './server-record.ts'

/** What one of several servers proves itself by, and by what it knows the others, its nodes and its store. */
export interface ServerCertificates {
  readonly cluster: ClusterCertificates
  readonly etcd: EtcdCertificates
  /** Signs kubelets as servers. */
  readonly kubelets: CertificateAuthority
  /** How this server, and who administers it, speaks with etcd. */
  readonly etcdAccess: EtcdAccess
  /** For etcd itself, which reads files. */
  readonly etcdFiles: { readonly authority: string; readonly certificate: string; readonly key: string }
}

/** Reads the certificates of a server, and makes what is missing: on the first server all of them, on one that joined its own. */
export async function serverCertificates(layout: ServerLayout, clock: Clock): Promise<ServerCertificates> {
  const { certificatesDir: directory, advertiseAddress, serverName, tlsSans } = layout
  const addresses = [advertiseAddress, ...tlsSans.filter(san => isIP(san))]
  const names = [serverName, ...tlsSans.filter(san => !isIP(san))]
  const cluster = await clusterCertificates(directory, clock, apiServerNames(layout.cluster.serviceCidr, { addresses, names }))
  const kubelets = await certificateFiles(directory, clock).keep('kubelet-ca', () => newAuthority(clock, 'kubelet-ca'))
  const etcd = await etcdCertificates(directory, clock, serverName, [advertiseAddress])
  return {
    cluster,
    etcd,
    kubelets: certificateAuthority(clock, kubelets),
    etcdAccess: { authority: etcd.authority.certificate, ...etcd.client },
    etcdFiles: { authority: join(directory, 'etcd-ca.crt'), certificate: join(directory, 'etcd.crt'), key: join(directory, 'etcd.key') },
  }
}
