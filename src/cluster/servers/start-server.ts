import { join } from 'node:path'
import { serversOf } from '#apiserver/endpoints/server-lease.ts'
import type { Listening } from '#apiserver/http/listen.ts'
import type { KubeletConnection } from '#apiserver/node-streams/kubelet-connection.ts'
import type { Logger } from '#base/log/logger.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { type Clock, sleep } from '#base/time/clock.ts'
import { EtcdStore } from '#store/etcd/etcd-store.ts'
import type { Store } from '#store/store.ts'
import { kubeconfig, writePrivateFile } from '../certificates/admin-kubeconfig.ts'
import { ensureEncryptionConfiguration } from '../certificates/encryption-key.ts'
import { keepRenewed, newestCredential } from '../certificates/keep-renewed.ts'
import { ENCRYPTION_FILE, readSharedSecrets } from '../certificates/shared-secrets.ts'
import type { AssembledApiServer } from '../components/assembled-api-server.ts'
import { authenticationByCertificates } from '../components/certificate-authentication.ts'
import { certificateParameters } from '../components/certificate-parameters.ts'
import { checksConsistency } from '../components/checks-consistency.ts'
import { startControlPlane } from '../components/control-plane.ts'
import { encryptionFromFile } from '../components/encryption-from-file.ts'
import { serveMetricsApi } from '../components/metrics-api.ts'
import { firstAnswer } from '../etcd/members.ts'
import { joinRoute } from '../join/join-route.ts'
import type { Progress } from '../progress/progress.ts'
import { allowJoining } from './allow-joining.ts'
import { moveStore } from './move-store.ts'
import { type ServerCertificates, serverCertificates } from './server-certificates.ts'
import { startServerDns } from './server-dns.ts'
import { startServerEtcd } from './server-etcd.ts'
import { apiUrlAt, type ServerLayout } from './server-record.ts'

export interface ServerOptions {
  readonly layout: ServerLayout
  readonly clock: Clock
  readonly log: Logger
  readonly progress: Progress
  /** Go on alone, with the data that is here: the other members are forgotten. */
  readonly reset: boolean
  /** The other servers have taken this one out of the cluster. */
  removed(): void
}

/** One of a cluster's servers, in this process; its etcd is a child of it. */
export interface Server {
  /** Gives back what it leads, leaves the endpoints, and ends. */
  stop(): Promise<void>
}

/** How long giving back and leaving may take. */
const GOODBYE_MS = 5_000

/** Starts etcd, API server, controllers and scheduler of one of several servers, and returns once its API is ready. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { layout, clock, log, progress } = options
  const random = systemRandom()
  const ending: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const end of ending.splice(0).reverse()) await end()
  }
  try {
    const certificates = await progress.step('check certificates', () => serverCertificates(layout, clock))
    const etcd = await progress.step('start etcd', async note => {
      const started = await startServerEtcd({ ...options, certificates, note })
      ending.push(() => started.stop())
      note(`${started.endpoints.length} ${started.endpoints.length === 1 ? 'member' : 'members'}`)
      return started
    })
    await progress.step('start the API server', async note => {
      const store = new EtcdStore({ endpoints: etcd.endpoints, tls: certificates.etcdAccess, clock, random })
      ending.push(() => store.close())
      if (layout.from) await moveStore(layout, layout.from, store, options, note)
      const file = join(layout.certificatesDir, ENCRYPTION_FILE)
      ensureEncryptionConfiguration(file)
      const encryption = await encryptionFromFile({ file, reloads: true, clock, random, log })
      let newest = certificates
      let listening: Listening | undefined
      const kubelets = kubeletConnectionOf(() => newest)
      const plane = await startControlPlane({
        store,
        clock,
        random,
        log,
        serviceAccountKeys: certificates.cluster.serviceAccount,
        encryption,
        authentication: authenticationByCertificates(certificates.cluster),
        network: {
          serviceCIDRs: [layout.cluster.serviceCidr],
          nodePortRange: layout.cluster.nodePortRange,
          advertiseAddress: layout.advertiseAddress,
          securePort: layout.apiPort,
        },
        parameters: certificateParameters(certificates.cluster, layout.cluster),
        kubeletConnection: kubelets,
        frontProxy: newestCredential(() => newest.cluster.frontProxyClient),
        checksConsistency: checksConsistency(process.env),
        identity: `${layout.serverName}_${random.uuid()}`,
        async open(assembled) {
          listening = await openPort(assembled, store, () => newest, kubelets, options)
        },
      })
      // What goes to a store without a majority is not waited for.
      ending.push(() => atMost(clock, GOODBYE_MS, plane.stop()))
      const client = plane.clientFor({ name: 'system:apiserver', groups: ['system:masters'] })
      await allowJoining(client)
      const dns = await startServerDns({ client, informers: plane.informers, clock, random, log, layout })
      ending.push(() => dns.stop())
      writeKubeconfig(layout, certificates)
      const renewal = keepRenewed({
        clock,
        log,
        present: certificates,
        read: () => serverCertificates(layout, clock), // etcd reads its own from their files
        use(renewed) {
          newest = renewed
          const { certificate, privateKey } = renewed.cluster.apiServer
          listening?.useCertificate(certificate, privateKey)
          store.useCertificate(renewed.etcdAccess)
          writeKubeconfig(layout, renewed)
        },
        authorities: {
          ca: certificates.cluster.authority.certificate,
          'etcd-ca': certificates.etcd.authority.certificate,
          'kubelet-ca': certificates.kubelets.certificate,
          'front-proxy-ca': certificates.cluster.frontProxyAuthority.certificate,
        },
      })
      ending.push(async () => renewal[Symbol.dispose]())
      note(apiUrlAt(layout.advertiseAddress, layout.apiPort))
    })
    return { stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Resolves when the work has ended, or after a while. */
function atMost(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<unknown> {
  return Promise.race([work, sleep(clock, limitMs)])
}

function kubeletConnectionOf(newest: () => ServerCertificates): KubeletConnection {
  return Object.assign(
    newestCredential(() => newest().cluster.kubeletClient),
    { authority: newest().kubelets.certificate },
  )
}

function writeKubeconfig(layout: ServerLayout, { cluster: { authority, admin } }: ServerCertificates): void {
  const local = apiUrlAt('127.0.0.1', layout.apiPort)
  writePrivateFile(layout.kubeconfig, kubeconfig(layout.cluster.name, local, authority.certificate, admin))
}

async function openPort(
  assembled: AssembledApiServer,
  store: Store,
  newest: () => ServerCertificates,
  kubelets: KubeletConnection,
  options: ServerOptions,
): Promise<Listening> {
  const { layout, clock, log } = options
  const certificates = newest()
  const { authority, authorityCredential, frontProxyAuthority, apiServer } = certificates.cluster
  const client = assembled.clientFor({ name: 'system:apiserver', groups: ['system:masters'] })
  await serveMetricsApi({ ...assembled, client, kubelets, clock, log })
  const joining = joinRoute({
    client,
    clock,
    log,
    authority: authorityCredential,
    nodeAuthorities: { clients: authority, kubelets: certificates.kubelets },
    facts: layout.cluster,
    servers: async () => (await serversOf(store)).map(address => apiUrlAt(address, layout.apiPort)),
    async etcd() {
      const local = `https://127.0.0.1:${layout.etcdClientPort}`
      const members = await firstAnswer([local], newest().etcdAccess, clock, one => one.list())
      return (members ?? []).filter(({ isLearner }) => !isLearner).flatMap(({ clientURLs }) => clientURLs)
    },
    secrets: () => readSharedSecrets(layout.certificatesDir),
  })
  return assembled.server.listen({
    address: layout.advertiseAddress.includes(':') ? '::' : '0.0.0.0',
    port: layout.apiPort,
    tls: {
      certificate: apiServer.certificate,
      key: apiServer.privateKey,
      clientCa: `${authority.certificate}\n${frontProxyAuthority.certificate}`,
    },
    authenticator: assembled.authenticator,
    advertised: `${layout.advertiseAddress}:${layout.apiPort}`,
    documents: [...assembled.documentsAt(`${layout.advertiseAddress}:${layout.apiPort}`), joining],
  })
}
