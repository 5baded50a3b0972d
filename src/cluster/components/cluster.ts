import { Registry } from 'prom-client'
import type { AnonymousAccess } from '#apiserver/http/identification.ts'
import type { Listening } from '#apiserver/http/listen.ts'
import type { ServeOptions } from '#apiserver/http/serve.ts'
import type { Logger } from '#base/log/logger.ts'
import { systemRandom } from '#base/random/system-random.ts'
import type { Clock } from '#base/time/clock.ts'
import { startSimulatedNodes } from '#kubelet/runtime/simulated/simulated-nodes.ts'
import { LmdbStore } from '#store/lmdb/lmdb-store.ts'
import { kubeconfig, writePrivateFile } from '../certificates/admin-kubeconfig.ts'
import { apiServerNames, type ClusterCertificates, clusterCertificates } from '../certificates/cluster-certificates.ts'
import { ensureEncryptionConfiguration } from '../certificates/encryption-key.ts'
import { keepRenewed, newestCredential } from '../certificates/keep-renewed.ts'
import { apiServerByFlags, readApiServerFlags } from '../flags/api-server-flags.ts'
import type { ClusterLayout } from '../layout/layout.ts'
import type { Progress } from '../progress/progress.ts'
import { authenticationByCertificates } from './certificate-authentication.ts'
import { certificateParameters } from './certificate-parameters.ts'
import { checksConsistency } from './checks-consistency.ts'
import { startCloud } from './cloud.ts'
import { startClusterDns } from './cluster-dns.ts'
import { type ControlPlane, startControlPlane } from './control-plane.ts'
import { encryptionFromFile } from './encryption-from-file.ts'
import { forgetDroppedNodes, type NodeKubelet, startKubelets } from './kubelets.ts'
import { customMetrics, serveMetricsApi } from './metrics-api.ts'
import { startProxies } from './proxies.ts'
import { dnsAnswers, nodesReady } from './readiness.ts'

export interface ClusterOptions {
  readonly layout: ClusterLayout
  readonly clock: Clock
  readonly log: Logger
  readonly progress: Progress
  /** The disk has failed: nothing more may be acknowledged. */
  fatal(error: Error): void
}

/** A cluster that runs in this process; its containers are outside. */
export interface Cluster {
  /** Ends everything of the cluster in this process. Containers and Services' rules stay, for the next start. */
  stop(): Promise<void>
}

/** Starts control plane, DNS, proxies and kubelets of a cluster whose network and containerds are there, and returns once it does its work. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { layout, clock, log, progress } = options
  const random = systemRandom()
  const ending: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const end of ending.splice(0).reverse()) await end()
  }
  try {
    const certificates = await progress.step('check certificates', () => certificatesOf(options))
    let newest = certificates
    const kubeletClient = newestCredential(() => newest.kubeletClient)
    const kubelets = Object.assign(kubeletClient, { authority: certificates.authority.certificate })
    const listening: Listening[] = []
    const plane = await progress.step('start the control plane', async note => {
      const retention = layout.historyMs === undefined ? {} : { forMs: layout.historyMs }
      const store = await LmdbStore.open({ directory: layout.storeDir, clock, logger: log, retention, onFatal: options.fatal })
      ending.push(() => store.close())
      ensureEncryptionConfiguration(layout.encryptionFile)
      const encryption = await encryptionFromFile({ file: layout.encryptionFile, reloads: true, clock, random, log })
      const registry = new Registry()
      const byFlags = await apiServerByFlags(readApiServerFlags(layout.apiServerFlags ?? []), { clock, log, registry, serverId: layout.id })
      ending.push(async () => byFlags[Symbol.asyncDispose]())
      let started: ControlPlane | undefined
      const others = customMetrics({
        url: serverUrl(layout),
        authority: certificates.authority.certificate,
        client: () => administratorOf(started!),
        clock,
      })
      ending.push(async () => others[Symbol.dispose]())
      started = await startControlPlane({
        store,
        clock,
        random,
        log,
        serviceAccountKeys: certificates.serviceAccount,
        encryption,
        network: {
          serviceCIDRs: [layout.serviceCidr],
          nodePortRange: layout.nodePortRange,
          advertiseAddress: layout.nodes.length > 0 ? layout.hostAddress : undefined,
          securePort: layout.apiPort,
        },
        // A node's pod CIDR is fixed with its network.
        controllers: ['*', '-node-ipam-controller'],
        parameters: { ...certificateParameters(certificates, layout), readMetrics: others.read },
        authentication: { ...authenticationByCertificates(certificates), jwt: byFlags.jwt },
        admission: byFlags.admission,
        kubeletConnection: kubelets,
        frontProxy: newestCredential(() => newest.frontProxyClient),
        checksConsistency: checksConsistency(process.env),
      })
      ending.push(() => started!.stop())
      await serveMetricsApi({ ...started, client: administratorOf(started), kubelets, clock, log })
      listening.push(...(await listen(started, certificates, options, { ...byFlags, registry })))
      writeKubeconfig(layout, certificates)
      note(serverUrl(layout))
      return started
    })
    const nodes = await startNodes(plane, certificates, options, ending)
    const servingOf = (all: ClusterCertificates) =>
      Promise.all(nodes.map(async ({ node }) => (await all.node(node.name, [node.address])).serving))
    const renewal = keepRenewed({
      clock,
      log,
      present: { cluster: certificates, nodes: await servingOf(certificates) },
      async read() {
        const cluster = await certificatesOf(options)
        return { cluster, nodes: await servingOf(cluster) }
      },
      use(renewed) {
        newest = renewed.cluster
        const { certificate, privateKey } = newest.apiServer
        for (const port of listening) port.useCertificate(certificate, privateKey)
        for (const [index, node] of nodes.entries()) node.useServing(renewed.nodes[index]!)
        writeKubeconfig(layout, newest)
      },
      authorities: { ca: certificates.authority.certificate, 'front-proxy-ca': certificates.frontProxyAuthority.certificate },
    })
    ending.push(async () => renewal[Symbol.dispose]())
    return { stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function certificatesOf({ layout, clock }: ClusterOptions): Promise<ClusterCertificates> {
  return clusterCertificates(layout.certificatesDir, clock, apiServerNames(layout.serviceCidr, { addresses: [layout.hostAddress] }))
}

function writeKubeconfig(layout: ClusterLayout, { authority, admin }: ClusterCertificates): void {
  writePrivateFile(layout.kubeconfig, kubeconfig(layout.name, serverUrl(layout), authority.certificate, admin))
}

const administratorOf = (plane: ControlPlane) => plane.clientFor({ name: 'system:apiserver', groups: ['system:masters'] })

const serverUrl = ({ apiPort }: ClusterLayout) => `https://127.0.0.1:${apiPort}`

/** The port of the API server: on loopback for people, and on the nodes' bridge for pods. */
async function listen(
  plane: ControlPlane,
  certificates: ClusterCertificates,
  { layout }: ClusterOptions,
  { audit, anonymous, registry }: Pick<ServeOptions, 'audit' | 'registry'> & { readonly anonymous: AnonymousAccess },
): Promise<Listening[]> {
  const clientCa = `${certificates.authority.certificate}\n${certificates.frontProxyAuthority.certificate}`
  const { certificate, privateKey } = certificates.apiServer
  const tls = { certificate, key: privateKey, clientCa }
  const addresses = layout.nodes.length > 0 ? ['127.0.0.1', layout.hostAddress] : ['127.0.0.1']
  const listening: Listening[] = []
  for (const address of addresses) {
    const documents = plane.documentsAt(`${address}:${layout.apiPort}`)
    const { authenticator } = plane
    listening.push(await plane.server.listen({ address, port: layout.apiPort, tls, authenticator, documents, audit, anonymous, registry }))
  }
  return listening
}

async function startNodes(
  plane: ControlPlane,
  certificates: ClusterCertificates,
  options: ClusterOptions,
  ending: (() => Promise<unknown>)[],
): Promise<readonly NodeKubelet[]> {
  const { layout, clock, log, progress } = options
  const random = systemRandom()
  let kubelets: readonly NodeKubelet[] = []
  const admin = administratorOf(plane)
  const nodeClient = (node: string) => plane.clientFor({ name: `system:node:${node}`, groups: ['system:nodes'] }, 'kubelet')
  await forgetDroppedNodes(admin, layout)
  if (layout.nodes.length > 0) {
    const proxies = await progress.step('serve Services and DNS', async () => {
      const dns = await startClusterDns({
        client: admin,
        informers: plane.informers,
        clock,
        random,
        log,
        address: layout.hostAddress,
        clusterIP: layout.dnsAddress,
      })
      ending.push(() => dns.stop())
      const started = startProxies(layout, plane.informers, clock, log)
      ending.push(() => Promise.all(started.map(proxy => proxy.stop())))
      await Promise.all(started.map(proxy => proxy.ready()))
      return started
    })
    const cloud = startCloud({ plane, layout, clock, random, log })
    ending.push(() => cloud.stop())
    await progress.step(layout.nodes.length === 1 ? 'start the kubelet' : `start ${layout.nodes.length} kubelets`, async note => {
      kubelets = await startKubelets({ layout, certificates, clientFor: nodeClient, clock, random, log })
      ending.push(() => Promise.all(kubelets.map(kubelet => kubelet.stop())))
      await Promise.all(kubelets.map(kubelet => kubelet.ready))
      await nodesReady(
        plane.informers,
        layout.nodes.map(node => node.name),
        clock,
      )
      note('Ready')
    })
    await progress.step('ask DNS from a pod network', async () => {
      await Promise.all(proxies.map(proxy => proxy.settled()))
      await Promise.all(layout.nodes.map(node => dnsAnswers(layout, node, clock)))
    })
  }
  if (layout.simulatedNodes > 0) {
    await progress.step(`start ${layout.simulatedNodes} simulated nodes`, async () => {
      const names = Array.from({ length: layout.simulatedNodes }, (_, index) => `simulated-${index + 1}`)
      const nodes = startSimulatedNodes({ names, client: admin, informers: plane.informers, clock, log })
      ending.push(() => nodes.stop())
      await nodes.ready
    })
  }
  return kubelets
}
